/**
 * One request of each outcome through the local host, as a client that honours `Retry-After` and a
 * person drive it, under the policy `standard`: what it consumes by table, index, operation and
 * step, and what it makes the functions run, log and answer.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type LocalHost, startLocalHost } from '../../lib/local/start-local-host.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { synthesizedAssembly } from '../support/synthesized-assembly.ts';
import { entryOf, itemBytes } from './consumed-units.ts';
import { createMeter, indexesOf, type Meter, type MeteredCall } from './metered-calls.ts';

export const ledgerFile = fileURLToPath(
  new URL('../../docs/reference/ledger.json', import.meta.url),
);
export const readmeFile = fileURLToPath(new URL('../../README.md', import.meta.url));
const pricesFile = new URL('../../docs/reference/list-prices.json', import.meta.url);

const prices = z.strictObject({
  region: z.string(),
  day: z.string(),
  currency: z.literal('USD'),
  perMillion: z.strictObject({
    writeUnits: z.number(),
    readUnits: z.number(),
    httpApiRequests: z.number(),
    functionRuns: z.number(),
    expressExecutions: z.number(),
    mails: z.number(),
  }),
  perGigabyte: z.strictObject({
    functionSecond: z.number(),
    expressSecond: z.number(),
    logsTaken: z.number(),
    transferOut: z.number(),
    tableMonth: z.number(),
    pointInTimeRecoveryMonth: z.number(),
  }),
  /** What cannot be measured here, and where it comes from. */
  assumed: z.strictObject({
    functionSecondsOfApproval: z.number(),
    expressSecondsOfApproval: z.number(),
    platformLogBytesOfRun: z.number(),
    accessLogBytesOfRequest: z.number(),
    headerBytesOfAnswer: z.number(),
    from: z.string(),
  }),
});

export type Prices = z.output<typeof prices>;

/** @throws if the list of prices has another form */
export async function readPrices(): Promise<Prices> {
  return prices.parse(JSON.parse(await readFile(pricesFile, 'utf8')));
}

const row = z.strictObject({
  step: z.string(),
  operation: z.string(),
  /** The table, or the table and its index. */
  on: z.string(),
  writeUnits: z.number(),
  readUnits: z.number(),
});

const outcome = z.strictObject({
  outcome: z.enum(['approved', 'denied', 'expired', 'refused']),
  polls: z.number(),
  /** Of functions. */
  invocations: z.number(),
  httpRequests: z.number(),
  writeUnits: z.number(),
  readUnits: z.number(),
  /**
   * The same where every function remembers the client, as it does for ten seconds: a client that
   * asks all the time.
   */
  readUnitsOfBusyClient: z.number().optional(),
  /** Lines of the functions' own, in bytes. */
  logBytes: z.number(),
  /** Bodies of answers and mails' pages, in bytes. */
  answerBytes: z.number(),
  /** What stays in the tables, index entries included. */
  storedBytes: z.number(),
  rows: z.array(row),
});

export const ledgerSchema = z.strictObject({
  policy: z.string(),
  pollSeconds: z.number(),
  outcomes: z.array(outcome),
});

export type Ledger = z.output<typeof ledgerSchema>;
export type Outcome = z.output<typeof outcome>;
type Row = z.output<typeof row>;

/** @throws if there is none, or of another form */
export async function readLedger(): Promise<Ledger> {
  return ledgerSchema.parse(JSON.parse(await readFile(ledgerFile, 'utf8')));
}

/** For programs: the sums of each outcome. */
export function sumLedger({ outcomes }: Ledger) {
  return outcomes.map(({ outcome, writeUnits, readUnits, invocations, polls }) => ({
    ...{ outcome, writeUnits, readUnits, invocations, polls },
  }));
}

/** Between two polls, as CIBA Core 7.3 has it where nothing is said. */
const POLL_SECONDS = 5;

/** How long a mail may take, in milliseconds. */
const MAIL_TIMEOUT = 40_000;

const stories = ['warm', 'four', 'five', 'denied', 'expired', 'refused'];

/**
 * Asks one user after the other, and may poll every second: what functions remember of it is never
 * ten seconds old.
 */
const busy = 'busy';
const others = ['first', 'second'];
const secret = 'the secret of a client whose every call is counted';

const directory = parseDirectory({
  clients: [...stories, busy].map((story) => ({
    ...{ client_id: story, client_name: 'Pump 4', client_secret: secret },
    interval: story === busy ? 1 : POLL_SECONDS,
    ...{ token_endpoint_auth_method: 'client_secret_basic', notification_policy: 'standard' },
  })),
  users: [...stories, ...others].map((story) => ({
    ...{ sub: `u-${story}`, username: story, email: `${story}@bank.example`, email_verified: true },
  })),
});

/** @param folder takes the assembly; the caller removes it */
export async function measureLedger(folder: string): Promise<Ledger> {
  const meter = createMeter();
  const lines: string[] = [];
  const host = await startLocalHost({
    ...{ assembly: await synthesizedAssembly(folder), port: 0, inboxPort: 0, controlPort: 0 },
    interpose: meter.interpose,
    log: (kind, line) => void (kind === 'function' && lines.push(line)),
  });
  meter.knowTables(host.stack.tables);
  await host.applyDirectory(directory, { prune: false });
  const driven = (client: string, user = client) =>
    new DrivenRequest({ host, meter, lines, client, user });
  try {
    // Functions that have run remember keys for minutes, as busy ones do.
    const warm = driven('warm');
    await warm.ask();
    await warm.decide('approve');
    await warm.poll();
    const approved = [await approve(driven('four'), 4), await approve(driven('five'), 5)];
    const [first, second] = others;
    await approve(driven(busy, first), 1, 1);
    const { readUnits: readUnitsOfBusyClient } = await approve(driven(busy, second), 4, 1);
    return {
      policy: 'standard',
      pollSeconds: POLL_SECONDS,
      outcomes: [
        { ...average(approved), readUnitsOfBusyClient },
        await deny(driven('denied')),
        await expire(driven('expired')),
        await refuse(driven('refused')),
      ],
    };
  } finally {
    await host.stop();
    await meter.stop();
  }
}

async function approve(
  request: DrivenRequest,
  polls: number,
  seconds = POLL_SECONDS,
): Promise<Outcome> {
  await request.ask();
  for (let poll = 1; poll < polls; poll += 1)
    await request.wait(seconds).then(() => request.poll());
  await request.decide('approve');
  await request.wait(seconds);
  await request.poll('redeem');
  return request.tell('approved');
}

async function deny(request: DrivenRequest): Promise<Outcome> {
  await request.ask();
  await request.wait();
  await request.poll();
  await request.decide('deny');
  await request.wait();
  await request.poll();
  return request.tell('denied');
}

async function expire(request: DrivenRequest): Promise<Outcome> {
  await request.ask({ requested_expiry: '10' });
  for (let poll = 0; poll < 3; poll += 1) await request.wait().then(() => request.poll());
  return request.tell('expired');
}

async function refuse(request: DrivenRequest): Promise<Outcome> {
  await request.ask({ binding_message: 'see evil.example' });
  return request.tell('refused');
}

/** What of a request a call is part of. */
interface Step {
  step: string;
}

interface Driven {
  host: LocalHost;
  meter: Meter;
  /** What the functions log. */
  lines: string[];
  client: string;
  user: string;
}

/** One request, its client and its user. */
class DrivenRequest {
  readonly #driven: Driven;
  readonly #met: (MeteredCall & Step)[] = [];
  #ref = '';
  #authReqId = '';
  #polls = 0;
  #httpRequests = 0;
  #answerBytes = 0;

  constructor(driven: Driven) {
    this.#driven = driven;
    driven.lines.length = 0;
    driven.meter.calls.length = 0;
  }

  async ask(parameters: Record<string, string> = {}): Promise<void> {
    const form = { scope: 'openid', login_hint: this.#driven.user, ...parameters };
    const body = JSON.parse(await this.#post('/cibaAuthorization', form));
    this.#authReqId = String(body.auth_req_id ?? '');
    this.#ref = this.#authReqId.split('.')[0] ?? '';
    if (this.#ref !== '') await this.#mail();
    this.#take('ask');
  }

  wait(seconds = POLL_SECONDS): Promise<void> {
    return sleep(seconds * 1000);
  }

  async poll(step = 'poll'): Promise<void> {
    this.#polls += 1;
    const grant_type = 'urn:openid:params:grant-type:ciba';
    await this.#post('/token', { grant_type, auth_req_id: this.#authReqId });
    this.#take(step);
  }

  async decide(decision: 'approve' | 'deny'): Promise<void> {
    const link = await this.#mail();
    const page = await this.#fetch(link);
    this.#take('page');
    const inputs = page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
    const hidden = [...inputs].map(([, name = '', value = '']) => [name, value] as const);
    const body = new URLSearchParams({ ...Object.fromEntries(hidden), decision });
    await this.#fetch(link, { method: 'POST', body });
    this.#take('decision');
  }

  /** What all of it came to. */
  tell(outcome: Outcome['outcome']): Outcome {
    const rows = sumRows(this.#met.map(rowOf));
    return {
      outcome,
      polls: this.#polls,
      invocations: this.#driven.lines.length,
      httpRequests: this.#httpRequests,
      writeUnits: sum(rows.map(({ writeUnits }) => writeUnits)),
      readUnits: sum(rows.map(({ readUnits }) => readUnits)),
      logBytes: sum(this.#driven.lines.map((line) => Buffer.byteLength(line) + 1)),
      answerBytes: this.#answerBytes,
      storedBytes: storedBytes(this.#met, this.#driven.host.stack.tables),
      rows,
    };
  }

  /** The link of its mail, once that is there. @throws if none comes */
  async #mail(): Promise<string> {
    for (const end = Date.now() + MAIL_TIMEOUT; Date.now() < end; ) {
      const store = await (await fetch(`${this.#driven.host.inbox}/store`)).text();
      const link = store.match(
        new RegExp(`https?://[^\\s"\\\\]+/approve/${this.#ref}[^\\s"\\\\]*`),
      );
      // The mail task's last write comes after the mail.
      if (link) return sleep(300, link[0]);
      await sleep(50);
    }
    throw new Error(`no mail of ${this.#ref} came within ${MAIL_TIMEOUT} ms`);
  }

  #post(path: string, form: Record<string, string>): Promise<string> {
    const authorization = `Basic ${Buffer.from(`${this.#driven.client}:${encodeURIComponent(secret)}`).toString('base64')}`;
    const body = new URLSearchParams(form);
    return this.#fetch(this.#driven.host.issuer + path, {
      method: 'POST',
      headers: { authorization },
      body,
    });
  }

  async #fetch(url: string, init: RequestInit = {}): Promise<string> {
    const response = await fetch(url, { redirect: 'manual', ...init });
    const body = await response.text();
    this.#httpRequests += 1;
    this.#answerBytes += Buffer.byteLength(body);
    return body;
  }

  #take(step: string): void {
    for (const call of this.#driven.meter.calls.splice(0)) {
      this.#met.push({ ...call, step: flowStepOf(call.functionName) ?? step });
    }
  }
}

/** The functions of the flow run by themselves, whatever the client does. */
function flowStepOf(functionName: string): string | undefined {
  return /LocateUser/i.test(functionName)
    ? 'locate'
    : /Mail/.test(functionName)
      ? 'mail'
      : undefined;
}

function rowOf({ step, operation, writeUnits, readUnits, ...place }: MeteredCall & Step): Row {
  return { step, operation, on: placeOf(place), writeUnits, readUnits };
}

/** The table, and what of it: the index, or the kind of item that its key begins with. */
function placeOf({ table, index, key = '' }: Pick<MeteredCall, 'table' | 'index' | 'key'>): string {
  const part = index ?? /^[a-z]+(?=#)/.exec(key)?.[0];
  return part === undefined ? kindOf(table) : `${kindOf(table)}.${part}`;
}

/** Names of tables have a hash; what they are for is enough. */
function kindOf(table: string): string {
  return (
    ['requests', 'directory', 'keys'].find((kind) => table.toLowerCase().includes(kind)) ?? table
  );
}

/**
 * The items that were written, each as the last write left it, with 100 bytes of overhead for each
 * item and entry.
 */
function storedBytes(met: MeteredCall[], tables: LocalHost['stack']['tables']): number {
  const items = new Map<string, MeteredCall>();
  for (const call of met) if (call.item) items.set(`${call.table} ${call.key}`, call);
  return sum(
    [...items.values()].map(({ table, item = {} }) => {
      const indexes = indexesOf(tables.find(({ TableName }) => TableName === table));
      const entries = indexes
        .map((index) => entryOf(index, item))
        .filter((entry) => entry !== undefined);
      return sum([item, ...entries].map((stored) => itemBytes(stored) + 100));
    }),
  );
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** The mean of two runs of one outcome, row by row. */
function average(outcomes: Outcome[]): Outcome {
  const [first] = outcomes;
  if (first === undefined) throw new Error('there is nothing to average');
  const mean = (of: (outcome: Outcome) => number) => sum(outcomes.map(of)) / outcomes.length;
  const rows = sumRows(outcomes.flatMap(({ rows: each }) => each)).map((each) => ({
    ...each,
    writeUnits: each.writeUnits / outcomes.length,
    readUnits: each.readUnits / outcomes.length,
  }));
  return {
    outcome: first.outcome,
    polls: mean(({ polls }) => polls),
    invocations: mean(({ invocations }) => invocations),
    httpRequests: mean(({ httpRequests }) => httpRequests),
    writeUnits: mean(({ writeUnits }) => writeUnits),
    readUnits: mean(({ readUnits }) => readUnits),
    logBytes: Math.round(mean(({ logBytes }) => logBytes)),
    answerBytes: Math.round(mean(({ answerBytes }) => answerBytes)),
    storedBytes: Math.round(mean(({ storedBytes: bytes }) => bytes)),
    rows,
  };
}

/** One row for each step, operation and place. */
function sumRows(rows: Row[]): Row[] {
  const sums = new Map<string, Row>();
  for (const each of rows) {
    const key = [each.step, each.operation, each.on].join();
    const known = sums.get(key);
    sums.set(key, {
      ...each,
      writeUnits: each.writeUnits + (known?.writeUnits ?? 0),
      readUnits: each.readUnits + (known?.readUnits ?? 0),
    });
  }
  return [...sums.values()];
}
