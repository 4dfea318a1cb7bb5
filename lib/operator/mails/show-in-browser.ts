/** Shows a mail in the browser of whoever asks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import open from 'open';

const folder = join(import.meta.dirname, '../../../build');

/** Writes the HTML part into `build/`, opens it, and answers the file. */
export async function showInBrowser(name: string, locale: string, html: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `preview-${name}-${locale}.html`);
  writeFileSync(file, html);
  await open(file);
  return file;
}
