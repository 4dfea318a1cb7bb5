/**
 * A local host in a process of its own, over which every call of a service and every execution of a
 * flow is noted: `recorded-host.ts ASSEMBLY SEED NOTES` prints one line of JSON when it is ready,
 * as `bin/local.ts --headless` does.
 */
import { createWriteStream } from 'node:fs';
import { startLocalHost } from '../../lib/local/start-local-host.ts';
import { readDirectoryFile } from '../../lib/operator/directory/directory-file.ts';
import { recordCalls } from './recorded-calls.ts';
import type { Note } from './suite-notes.ts';

// As bin/local.ts has it: a mail whose variables are not all given fails at once.
process.env['AWS_SES_STRICT_TEMPLATE_RENDERING'] = 'true';

const [assembly = '', seed = '', notes = ''] = process.argv.slice(2);
const file = createWriteStream(notes);
const note = (what: Note) => void file.write(`${JSON.stringify(what)}\n`);

const recorded = recordCalls((call) => note({ call }));
const host = await startLocalHost({
  assembly,
  port: 0,
  inboxPort: 0,
  controlPort: 0,
  interpose: recorded.interpose,
  log(kind, line) {
    if (kind === 'flow' || kind === 'failure') note({ run: line });
    if (kind === 'failure') process.stderr.write(`${line}\n`);
  },
});
process.once('SIGTERM', async () => {
  await host.stop();
  await recorded.stop();
  file.end();
});
await host.applyDirectory(await readDirectoryFile(seed), { prune: false });

const { issuer, inbox, control } = host;
process.stdout.write(`${JSON.stringify({ issuer, inbox, control })}\n`);
