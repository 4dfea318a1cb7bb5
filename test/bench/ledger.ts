/**
 * `npm run bench:ledger`: what one request costs, by outcome, measured on the local host;
 * `--json FILE` writes it for programs, `--write` into docs/reference/ledger.json and the tables of
 * README.md.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { replaceTable, tables } from './cost-tables.ts';
import { ledgerFile, measureLedger, readmeFile, readPrices, sumLedger } from './measure-ledger.ts';

const { values } = parseArgs({
  options: { json: { type: 'string' }, write: { type: 'boolean', default: false } },
});
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const folder = await mkdtemp(join(tmpdir(), 'ciba-ledger-'));
const ledger = await measureLedger(folder).finally(() => rm(folder, { recursive: true }));

for (const { outcome, rows, ...sums } of ledger.outcomes) {
  process.stdout.write(`\n${outcome}\n`);
  for (const { step, operation, on, writeUnits, readUnits } of rows) {
    const line = [step.padEnd(14), operation.padEnd(14), on.padEnd(18)].join('');
    process.stdout.write(`  ${line}${number(writeUnits, 'W')}${number(readUnits, 'R')}\n`);
  }
  process.stdout.write(`  ${JSON.stringify(sums)}\n`);
}

function number(units: number, letter: string): string {
  return units === 0 ? ''.padStart(8) : `${units} ${letter}`.padStart(8);
}

if (values.json !== undefined) {
  await writeFile(values.json, JSON.stringify({ ledger: sumLedger(ledger) }, undefined, 2));
}
if (values.write) {
  await writeFile(ledgerFile, `${JSON.stringify(ledger, undefined, 2)}\n`);
  let readme = await readFile(readmeFile, 'utf8');
  for (const table of Object.values(tables(ledger, await readPrices()))) {
    readme = replaceTable(readme, table);
  }
  await writeFile(readmeFile, readme);
}
