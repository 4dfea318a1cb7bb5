/**
 * Imports users row by row: what cannot be imported is told with its row and its reason, and ends
 * nothing. A row that is stored already exactly so is not written, so that an import that was
 * interrupted goes on where it ended.
 */
import type * as z from 'zod/mini';
import { isSameEmail, logins } from '../../../lambdas/ciba/user/login.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import { applyPlan } from './carry-out-plan.ts';
import type { DirectoryStore } from './directory-items.ts';
import { countActions, type DirectoryPlan, type PlanCounts } from './plan.ts';
import { planUsers } from './plan-users.ts';
import { type UserRegistration, userRegistration } from './registration/user-registration.ts';
import type { RejectedRow, UserRow } from './user-file.ts';

/** A row that is a user by itself. */
interface ValidRow {
  row: UserRow;
  user: UserRegistration;
}

/** The rows of a file, by themselves and beside one another. */
export interface JudgedRows {
  valid: ValidRow[];
  rejected: RejectedRow[];
}

/** What an import would do, and what it cannot. */
export interface UserImport {
  plan: DirectoryPlan;
  rejected: RejectedRow[];
  rowOf(sub: string): UserRow | undefined;
}

/** How an import went. */
export interface ImportedUsers {
  counts: Omit<PlanCounts, 'remove'>;
  rejected: RejectedRow[];
  /** What ended it before all was done; importing again goes on from there. */
  fault?: unknown;
}

/** Holds every row against the rules of the registration, and against the rows before it. */
export function judgeRows(rows: readonly UserRow[]): JudgedRows {
  const judged: JudgedRows = { valid: [], rejected: [] };
  const lineOf = new Map<string, number>();
  for (const row of rows) {
    const result = judgeRow(row);
    const fault = 'fault' in result ? result.fault : findRepetition(result, lineOf);
    if (fault !== undefined || 'fault' in result) {
      judged.rejected.push({ row, reason: fault ?? '' });
      continue;
    }
    for (const name of namesOf(result)) lineOf.set(name, row.line);
    judged.valid.push({ row, user: result });
  }
  return judged;
}

function judgeRow(row: UserRow): UserRegistration | { fault: string } {
  if (row.fault !== undefined) return { fault: row.fault };
  const parsed = userRegistration.safeParse(row.members);
  if (parsed.success) return parsed.data;
  return { fault: parsed.error.issues.map((issue) => describe(issue, row)).join('; ') };
}

function describe(issue: z.core.$ZodIssue, { members }: UserRow): string {
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys.join(', ')}`;
  const member = issue.path.join('.');
  return `${member}: ${member in members ? issue.message : 'is missing'}`;
}

function findRepetition(
  user: UserRegistration,
  lineOf: ReadonlyMap<string, number>,
): string | undefined {
  const repeated = namesOf(user).find((name) => lineOf.has(name));
  return repeated && `${repeated} is in line ${lineOf.get(repeated)} as well`;
}

function namesOf(user: UserRegistration): string[] {
  return [`sub ${user.sub}`, ...logins(user).map((login) => `login ${login}`)];
}

/** How many reads planning tells of; a stored login that a row does not name may come on top. */
export function countImportReads({ valid }: JudgedRows): number {
  return valid.reduce((reads, { user }) => reads + 1 + logins(user).length, 0);
}

/** Reads what is stored and computes what importing would do. Nothing is written. */
export async function planImport(
  store: DirectoryStore,
  { valid, rejected }: JudgedRows,
  told?: (count: number) => void,
): Promise<UserImport> {
  const rows = new Map(valid.map(({ row, user }) => [user.sub, row]));
  const wanted = valid.map(({ row, user }) => ({
    sub: user.sub,
    register: (before: User | undefined) => completed(user, row, before),
  }));
  const { planned, refused } = await planUsers(store, wanted, new Set(), told);
  const refusedRows = refused.flatMap(({ sub, reason }) => rejectedRow(rows.get(sub), reason));
  return {
    plan: { entries: planned },
    rejected: byLine([...rejected, ...refusedRows]),
    rowOf: (sub) => rows.get(sub),
  };
}

/**
 * What a row does not name stays as it is stored: a list of addresses enables nobody who was
 * disabled, and takes away no name. A verification stays with its address alone.
 */
function completed(
  user: UserRegistration,
  { members }: UserRow,
  before: User | undefined,
): UserRegistration {
  if (!before) return user;
  const email = 'email' in members ? user.email : before.email;
  // However it is written: the operator verified whose mailbox it is.
  const isSameMailbox = email !== undefined && isSameEmail(email, before.email);
  const name = 'name' in members ? user.name : before.name;
  const locale = 'locale' in members ? user.locale : before.locale;
  return {
    sub: user.sub,
    username: user.username,
    ...(email !== undefined && { email }),
    email_verified:
      'email_verified' in members ? user.email_verified : isSameMailbox && before.email_verified,
    ...(name !== undefined && { name }),
    ...(locale !== undefined && { locale }),
    enabled: 'enabled' in members ? user.enabled : before.enabled,
  };
}

function rejectedRow(row: UserRow | undefined, reason: string): RejectedRow[] {
  return row ? [{ row, reason }] : [];
}

function byLine(rejected: readonly RejectedRow[]): RejectedRow[] {
  return rejected.toSorted((one, other) => one.row.line - other.row.line);
}

/** Writes what was planned. A user whom somebody else changed since is a rejected row. */
export async function carryOutImport(
  store: DirectoryStore,
  { plan, rejected, rowOf }: UserImport,
  options: { told?: () => void; signal?: AbortSignal },
): Promise<ImportedUsers> {
  const refused = new Map<string, string>();
  const { written, fault } = await applyPlan(store, plan, {
    ...options,
    refused: ({ id }, reason) => refused.set(id, reason),
  });
  const kept = plan.entries.filter(({ action }) => action === 'keep');
  return {
    counts: countActions([...kept, ...written.filter(({ id }) => !refused.has(id))]),
    rejected: byLine([
      ...rejected,
      ...[...refused].flatMap(([sub, reason]) => rejectedRow(rowOf(sub), reason)),
    ]),
    fault,
  };
}
