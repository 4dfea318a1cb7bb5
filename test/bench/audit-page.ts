/**
 * How long the first page of the audit takes, out of a day of requests on dynalite:
 * `npm run bench:audit -- 100000`. The engine runs in this same process. Ends with 1 if a page
 * takes two seconds or more.
 */

import { auditEntry } from '../../lib/operator/audit/audit-entry.ts';
import { type AuditQuery, auditTable } from '../../lib/operator/audit/audit-table.ts';
import { DAY_BEGINS, RARE_CLIENT, writeDay } from '../support/audited-day.ts';
import { tablesOnDynalite } from '../support/tables-on-dynalite.ts';

const PAGE = 50;
const RUNS = 5;
const BAR_MILLISECONDS = 2000;

const count = Number(process.argv[2] ?? 100_000);
const day = { from: DAY_BEGINS, to: DAY_BEGINS + 86_400 };

const pages: Record<string, Partial<AuditQuery>> = {
  everything: {},
  'a client, 1 in 20': { clientId: 'pump-3' },
  'a client, 1 in 1,000': { clientId: RARE_CLIENT },
  'a user, 1 in 5,000': { sub: 'u-49' },
  'a client nobody has': { clientId: 'nobody' },
  'a client and a user': { clientId: 'pump-7', sub: 'u-49' },
};

const tables = await tablesOnDynalite();
const audit = auditTable(tables.client, 'requests');

async function firstPage(query: Partial<AuditQuery>) {
  const listed = [];
  for await (const request of audit.list({ ...day, ...query })) {
    listed.push(request);
    if (listed.length === PAGE) break;
  }
  const entries = (await audit.read(listed)).map((audited) => auditEntry(audited, day.to));
  return entries.length;
}

async function measure(query: Partial<AuditQuery>) {
  const warmUp = await firstPage(query);
  tables.sent.length = 0;
  const took: number[] = [];
  const before = process.cpuUsage();
  for (let run = 0; run < RUNS; run += 1) {
    const started = performance.now();
    await firstPage(query);
    took.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  took.sort((one, other) => one - other);
  return {
    entries: warmUp,
    calls: tables.sent.length / RUNS,
    median: took[Math.floor(RUNS / 2)] ?? 0,
    slowest: took.at(-1) ?? 0,
    cpu: (user + system) / 1000 / RUNS,
  };
}

function row(name: string, figures: string[]): string {
  return name.padEnd(24) + figures.map((figure) => figure.padStart(12)).join('');
}

const filling = performance.now();
await writeDay(tables.client, 'requests', count);
const seconds = ((performance.now() - filling) / 1000).toFixed(0);
process.stdout.write(`a day of ${count} requests, written in ${seconds} s\n`);
const head = ['entries', 'calls', 'median ms', 'slowest ms', 'CPU ms'];
process.stdout.write(`${row('first page of', head)}\n`);
for (const [name, query] of Object.entries(pages)) {
  const { entries, calls, median, slowest, cpu } = await measure(query);
  const figures = [entries, calls, median, slowest, cpu].map((figure) => figure.toFixed(0));
  process.stdout.write(`${row(name, figures)}\n`);
  if (slowest >= BAR_MILLISECONDS) process.exitCode = 1;
}
await tables.stop();
