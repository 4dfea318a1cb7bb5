/**
 * Writes docs/reference/ciba-output.schema.json: `npm run schema`, after a change of what commands
 * print with `--json`.
 */
import { writeFileSync } from 'node:fs';
import { publishedSchema } from '../lib/operator/output-schema.ts';

const file = new URL('../docs/reference/ciba-output.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(publishedSchema(), null, 2)}\n`);
