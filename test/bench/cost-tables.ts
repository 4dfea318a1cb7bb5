/**
 * The tables of README.md about costs and growth, made of what is measured
 * (docs/reference/ledger.json), of list prices (docs/reference/list-prices.json) and of the default
 * quotas that AWS documents.
 */
import type { Ledger, Outcome, Prices } from './measure-ledger.ts';

/** What AWS allows an account and a table unless a quota is raised. */
const defaults = {
  apiRequests: 10_000,
  functionsAtOnce: 1000,
  newAccountFunctionsAtOnce: 10,
  newTableWrites: 4000,
  newTableReads: 12_000,
  tableUnits: 40_000,
  expressStarts: 6000,
};

/** Approvals a second. */
const RATES = [100, 1000, 10_000];

const MILLION = 1e6;
const GIGABYTE = 1e9;

/** Each table as it stands in README.md. */
export function tables(ledger: Ledger, prices: Prices) {
  const approved = approvedOf(ledger);
  return {
    units: unitsTable(ledger),
    cost: costTable(approved, prices),
    growth: growthTable(approved, prices),
  };
}

/**
 * Puts a table in the place of the one with the same first line.
 * @throws if there is none
 */
export function replaceTable(text: string, table: string): string {
  const [head = ''] = table.split('\n');
  const lines = text.split('\n');
  const from = lines.indexOf(head);
  if (from < 0) throw new Error(`README.md has no table that begins with ${head}`);
  const after = lines.findIndex((line, at) => at > from && !line.startsWith('|'));
  return [...lines.slice(0, from), ...table.split('\n'), ...lines.slice(after)].join('\n');
}

/** The dollars of a million approvals, by part. */
export function costs(approved: Outcome, { perMillion, perGigabyte, assumed }: Prices) {
  const { invocations, httpRequests } = approved;
  const gigabytes = (bytes: number) => (bytes * MILLION) / GIGABYTE;
  const logs = gigabytes(
    approved.logBytes +
      invocations * assumed.platformLogBytesOfRun +
      httpRequests * assumed.accessLogBytesOfRequest,
  );
  const out = gigabytes(approved.answerBytes + httpRequests * assumed.headerBytesOfAnswer);
  const stored = gigabytes(approved.storedBytes);
  // Lambda bills 256 MB as a quarter, Express 64 MB as a sixteenth.
  const functionSeconds = assumed.functionSecondsOfApproval * MILLION * 0.25;
  const dollarsOfUnits = (reads: number) =>
    approved.writeUnits * perMillion.writeUnits + reads * perMillion.readUnits;
  const expressSeconds = assumed.expressSecondsOfApproval * MILLION * 0.0625;
  return {
    logs,
    out,
    stored,
    dollars: {
      mail: perMillion.mails,
      dynamodb: dollarsOfUnits(approved.readUnits),
      dynamodbOfBusyClient: dollarsOfUnits(readUnitsOfBusy(approved)),
      api: httpRequests * perMillion.httpApiRequests,
      functions:
        invocations * perMillion.functionRuns +
        functionSeconds * perGigabyte.functionSecond +
        logs * perGigabyte.logsTaken,
      express: perMillion.expressExecutions + expressSeconds * perGigabyte.expressSecond,
      transfer: out * perGigabyte.transferOut,
      storage: stored * (perGigabyte.tableMonth + perGigabyte.pointInTimeRecoveryMonth),
    },
  };
}

function unitsTable({ outcomes }: Ledger): string {
  const rows = outcomes.map((each) => {
    const { outcome, polls, writeUnits, invocations } = each;
    return [outcome, polls, writeUnits, describeReads(each), invocations].map(String);
  });
  return table(['outcome', 'polls', 'write units', 'read units', 'runs of functions'], rows);
}

function costTable(approved: Outcome, prices: Prices): string {
  const { logs, out, stored, dollars } = costs(approved, prices);
  const { functionSecondsOfApproval: seconds } = prices.assumed;
  const shown = (cost: number) => (cost >= 100 ? cost.toFixed(0) : cost.toFixed(1));
  const rows: [part: string, what: string, highest: number, lowest?: number][] = [
    ['mail', '1 million', dollars.mail],
    [
      'DynamoDB',
      `${approved.writeUnits} million write units, ${describeReads(approved)} million read units`,
      dollars.dynamodb,
      dollars.dynamodbOfBusyClient,
    ],
    ['HTTP API', `${approved.httpRequests} million requests`, dollars.api],
    [
      'functions, logs',
      `${approved.invocations} million runs, ${seconds} s an approval, ${logs.toFixed(1)} GB of logs`,
      dollars.functions,
    ],
    ['Step Functions Express', '1 million', dollars.express],
    ['transfer out', `${out.toFixed(0)} GB`, dollars.transfer],
    ['tables and their backups for 30 days', `${stored.toFixed(1)} GB`, dollars.storage],
  ];
  return table(
    ['part', 'of a million approvals', 'dollars'],
    rows.map(([part, what, highest, lowest]) => [
      ...[part, what],
      lowest === undefined ? shown(highest) : `${shown(lowest)} to ${shown(highest)}`,
    ]),
  );
}

function growthTable(approved: Outcome, { assumed }: Prices): string {
  const atOnce = (rate: number) => rounded(rate * assumed.functionSecondsOfApproval);
  const writes = (rate: number) => rounded(rate * approved.writeUnits);
  const reads = (rate: number) => rounded(rate * approved.readUnits);
  const onTables = readsByTable(approved);
  const split = (rate: number) =>
    onTables.map(([on, units]) => `${rounded(rate * units)} of the ${on}`).join(', ');
  const newAccount = defaults.newAccountFunctionsAtOnce / assumed.functionSecondsOfApproval;
  const rows: [string, string, ...string[]][] = [
    [
      'API Gateway, requests a second',
      `${grouped(defaults.apiRequests)} (2,500 in newer regions)`,
      'inside',
      'inside; raise `tokenThrottleRate`, `authorizeThrottleRate`',
      'raise the quota, or several accounts',
    ],
    [
      'Lambda, runs at once',
      `${grouped(defaults.functionsAtOnce)} (new accounts 10: they end near ${rounded(newAccount)} approvals a second)`,
      `some ${atOnce(100)}`,
      `some ${atOnce(1000)}; set \`approveReservedConcurrency\``,
      `some ${atOnce(10_000)}: raise the quota`,
    ],
    [
      'DynamoDB, write units a second',
      `${grouped(defaults.newTableWrites)} at once on a new table, then twice the former peak; ${grouped(defaults.tableUnits)} a table`,
      writes(100),
      `${writes(1000)}: set warm throughput beforehand, by hand`,
      `${writes(10_000)}: raise the table quota`,
    ],
    [
      'DynamoDB, read units a second',
      `${grouped(defaults.newTableReads)} at once on a new table; ${grouped(defaults.tableUnits)} a table`,
      reads(100),
      `${split(1000)}: the same`,
      `${split(10_000)}: the same`,
    ],
    [
      'Step Functions Express, starts a second',
      grouped(defaults.expressStarts),
      'inside',
      'inside',
      'raise the quota',
    ],
    ['SES, mails a second', 'set per account', 'ask for 100', 'ask for 1,000', 'not realistic'],
  ];
  return table(
    ['bound by', 'default of AWS', ...RATES.map((rate) => `${grouped(rate)} a second`)],
    rows,
  );
}

function readUnitsOfBusy({ readUnits, readUnitsOfBusyClient = readUnits }: Outcome): number {
  return readUnitsOfBusyClient;
}

/** From those of a client that functions remember to those of one that each has to read. */
function describeReads(outcome: Outcome): string {
  const [least, most] = [readUnitsOfBusy(outcome), outcome.readUnits];
  return least === most ? String(most) : `${least} to ${most}`;
}

/** The read units of each table, the most first. */
function readsByTable({ rows }: Outcome): [table: string, units: number][] {
  const sums = new Map<string, number>();
  for (const { on, readUnits } of rows) {
    const [table = on] = on.split('.');
    sums.set(table, (sums.get(table) ?? 0) + readUnits);
  }
  return [...sums].filter(([, units]) => units > 0).toSorted(([, one], [, other]) => other - one);
}

/** To two digits, or three above a thousand: these are estimates. */
function rounded(number: number): string {
  return grouped(Number(number.toPrecision(number >= 1000 ? 3 : 2)));
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

function approvedOf({ outcomes }: Ledger): Outcome {
  const approved = outcomes.find(({ outcome }) => outcome === 'approved');
  if (approved === undefined) throw new Error('the ledger has no approval');
  return approved;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
