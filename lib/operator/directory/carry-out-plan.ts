/**
 * Carries out a plan. Every write is conditional on what was read for the plan, so that whatever
 * somebody else changed meanwhile stays as they left it.
 */

import { isDeepStrictEqual } from 'node:util';
import { loginItem } from '../../../lambdas/aws/directory-table.ts';
import type { DynamoTable, Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { inParallel } from '../deployment/in-parallel.ts';
import { conflict, isConflict, type OperatorError } from '../terminal/operator-error.ts';
import { dropLogo, keepLogo } from './client-logos.ts';
import { type DirectoryStore, directoryTable, readItems } from './directory-items.ts';
import type { DirectoryPlan, EntryWrite, LoginClaim, PlannedEntry } from './plan.ts';

/** A secret that was made because the directory gave none; this is the only time it is seen. */
export interface GeneratedSecret {
  client_id: string;
  client_secret: string;
  /** Whether it is stored is not known: the connection broke before the table answered. */
  uncertain?: true;
}

/** How far a plan was carried out. */
export interface AppliedPlan {
  /** The entries that were written, in no certain order. */
  written: PlannedEntry[];
  /** Of the entries that were written, whatever became of the others. */
  generatedSecrets: GeneratedSecret[];
  /** What ended it before all was done; planning and applying again goes on from there. */
  fault?: unknown;
}

interface ApplyOptions {
  /** Is told after each entry. */
  told?: (() => void) | undefined;
  /** Begins nothing more once it is aborted. */
  signal?: AbortSignal | undefined;
  /**
   * Takes an entry that somebody else changed since the plan, which ends nothing then.
   * @default the first such entry is a fault
   */
  refused?: ((entry: PlannedEntry, reason: string) => void) | undefined;
}

/**
 * Carries out a plan: removes first, so that logins are free, then clients, then users. It throws
 * nothing: what was done before a fault stays done, and the secrets made for it are in the answer.
 */
export async function applyPlan(
  store: DirectoryStore,
  plan: DirectoryPlan,
  options: ApplyOptions = {},
): Promise<AppliedPlan> {
  const applied: AppliedPlan = { written: [], generatedSecrets: [] };
  try {
    for (const stage of stagesOf(plan)) await applyStage(store, stage, applied, options);
    await assertLoginsKept(store, applied.written, options);
  } catch (fault) {
    applied.fault = fault;
  }
  return applied;
}

/**
 * Each stage is done before the next begins; users who wait for others are stages of their own, in
 * their order.
 */
function stagesOf({ entries }: DirectoryPlan): PlannedEntry[][] {
  const changing = entries.filter(({ action }) => action !== 'keep');
  const written = changing.filter(({ action }) => action !== 'remove');
  const users = written.filter(({ kind }) => kind === 'user');
  return [
    changing.filter(({ action }) => action === 'remove'),
    written.filter(({ kind }) => kind === 'client'),
    users.filter(({ waitsFor }) => waitsFor.length === 0),
    ...users.filter(({ waitsFor }) => waitsFor.length > 0).map((user) => [user]),
  ];
}

async function applyStage(
  store: DirectoryStore,
  stage: readonly PlannedEntry[],
  applied: AppliedPlan,
  { told, signal, refused }: ApplyOptions,
): Promise<void> {
  const table = directoryTable(store);
  await inParallel(stage, async (entry) => {
    signal?.throwIfAborted();
    try {
      assertOthersWritten(entry, applied);
      await applyEntry(table, entry, store.clock());
      note(applied, entry);
    } catch (error) {
      if (error instanceof UnknownOutcome) note(applied, entry, true);
      if (!(refused && isConflict(error))) throw error;
      refused(entry, error.message);
    }
    told?.();
  });
}

function note(applied: AppliedPlan, entry: PlannedEntry, uncertain?: true): void {
  const { id, generatedSecret } = entry;
  if (uncertain === undefined) applied.written.push(entry);
  if (generatedSecret === undefined) return;
  applied.generatedSecrets.push({
    client_id: id,
    client_secret: generatedSecret,
    ...(uncertain && { uncertain }),
  });
}

/** A login must not be taken from a user who could not give it up. */
function assertOthersWritten({ id, waitsFor }: PlannedEntry, { written }: AppliedPlan): void {
  const missing = waitsFor.find(
    (sub) => !written.some(({ kind, id: other }) => kind === 'user' && other === sub),
  );
  if (missing === undefined) return;
  throw conflict(`user ${id}: takes a login of user ${missing}, who was not changed`);
}

/**
 * A user's logins are claimed before the item names them and given up after it no longer does, so
 * that at every moment each of the user's logins leads to the user. So it is with a client's logo.
 */
async function applyEntry(table: DynamoTable, entry: PlannedEntry, now: number): Promise<void> {
  for (const claim of entry.claims) await claimLogin(table, entry.id, claim);
  if (!(await storeLogo(table, entry, entry.version))) throw changedMeanwhile(entry);
  if (entry.action === 'remove') await removeEntry(table, entry);
  else await writeEntry(table, entry, now);
  for (const login of entry.givenUp) await giveUpLogin(table, login, entry.id);
  // Another operator may have replaced the logo since we wrote it. Store ours again if so.
  await storeLogo(table, entry, nextVersion(entry, now));
  await removeLogo(table, entry);
}

/** False if somebody else changed the client or its logo. */
async function storeLogo(
  table: DynamoTable,
  { id, logo }: PlannedEntry,
  version: number | undefined,
): Promise<boolean> {
  return !logo?.after || keepLogo(table, { id, version }, logo.after, logo.before);
}

async function removeLogo(table: DynamoTable, { id, logo }: PlannedEntry): Promise<void> {
  if (logo?.before !== undefined && !logo.after) await dropLogo(table, id, logo.before);
}

/** Whether a write was made is not known, and could not be found out. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome';
}

/**
 * Writes an entry on the condition that nobody changed it since the plan. A write whose answer was
 * lost, and which was then tried again, finds its own work: that is no conflict.
 * @throws OperatorError; UnknownOutcome if the connection broke, which leaves open whether it was
 * written
 */
export async function writeEntry(
  table: DynamoTable,
  entry: EntryWrite,
  now: number,
): Promise<void> {
  const version = nextVersion(entry, now);
  let fault: unknown;
  try {
    if (await tryWrite(table, entry, version)) return;
    fault = changedMeanwhile(entry);
  } catch (error) {
    fault = error;
  }
  if (!(await isWritten(table, entry, fault))) throw fault;
}

/**
 * Not counted from one: an entry that was removed and added again must not be taken for the one
 * before.
 */
function nextVersion({ version }: EntryWrite, now: number): number {
  return version === undefined ? Math.floor(now * 1000) : version + 1;
}

async function isWritten(table: DynamoTable, entry: EntryWrite, fault: unknown): Promise<boolean> {
  try {
    const item = await table.read(directoryKey[entry.kind](entry.id));
    const members = Object.entries(present(entry.members));
    return (
      item !== undefined && members.every(([name, value]) => isDeepStrictEqual(item[name], value))
    );
  } catch (error) {
    throw new UnknownOutcome(String(error), { cause: fault });
  }
}

function tryWrite(table: DynamoTable, entry: EntryWrite, version: number): Promise<boolean> {
  const key = directoryKey[entry.kind](entry.id);
  const members = present(entry.members);
  return entry.version === undefined
    ? table.put({ pk: key, version, ...members }, { condition: 'attribute_not_exists(#pk)' })
    : updateEntry(table, key, { ...entry, members }, version);
}

/** What others store beside the operator's members stays. */
async function updateEntry(
  table: DynamoTable,
  key: string,
  { members, dropped, version: before }: EntryWrite,
  version: number,
): Promise<boolean> {
  const names = Object.keys(members);
  const sets = ['version', ...names].map((name) => `#${name} = :${name}`);
  const removes = dropped.map((name) => `#${name}`);
  const { written } = await table.update(key, {
    update: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    condition: '#version = :before',
    values: {
      ...Object.fromEntries(names.map((name) => [`:${name}`, members[name]])),
      ':version': version,
      ':before': before,
    },
  });
  return written;
}

function present(members: Item): Item {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function changedMeanwhile({ kind, id }: EntryWrite): OperatorError {
  return conflict(
    `${kind} ${id}: was changed by somebody else since the plan was made, and is as they left it; plan and apply again`,
  );
}

/** An entry that is gone already is as the plan wants it. */
async function removeEntry(table: DynamoTable, entry: PlannedEntry): Promise<void> {
  const removed = await table.remove(directoryKey[entry.kind](entry.id), {
    condition: 'attribute_not_exists(#pk) OR #version = :version',
    values: { ':version': entry.version },
  });
  if (!removed) throw changedMeanwhile(entry);
}

async function claimLogin(
  table: DynamoTable,
  sub: string,
  { login, holder }: LoginClaim,
): Promise<void> {
  const item = { pk: directoryKey.login(login), sub };
  const claimed = await table.put(item, {
    condition: `attribute_not_exists(#pk) OR #sub = :sub${holder === undefined ? '' : ' OR #sub = :holder'}`,
    values: { ':sub': sub, ...(holder !== undefined && { ':holder': holder }) },
  });
  if (!claimed) throw takenMeanwhile(sub, login);
}

function takenMeanwhile(sub: string, login: string): OperatorError {
  return conflict(
    `user ${sub}: ${login} was taken by another user since the plan was made; plan and apply again`,
  );
}

async function giveUpLogin(table: DynamoTable, login: string, sub: string): Promise<void> {
  await table.remove(directoryKey.login(login), {
    condition: '#sub = :sub',
    values: { ':sub': sub },
  });
}

/**
 * Two operators may claim one login for two users at the same moment; one of the two is told here.
 */
async function assertLoginsKept(
  store: DirectoryStore,
  written: readonly PlannedEntry[],
  { refused }: ApplyOptions,
): Promise<void> {
  const claimed = written.flatMap((entry) => entry.claims.map(({ login }) => ({ entry, login })));
  const items = await readItems(
    store,
    claimed.map(({ login }) => directoryKey.login(login)),
  );
  for (const { entry, login } of claimed) {
    const item = items.get(directoryKey.login(login));
    if (item && loginItem.parse(item).sub === entry.id) continue;
    const conflict = takenMeanwhile(entry.id, login);
    if (!refused) throw conflict;
    refused(entry, conflict.message);
  }
}
