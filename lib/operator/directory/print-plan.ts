/**
 * A plan as it is shown: a table for a person, names and values for a program. No secret is in
 * either.
 */
import * as z from 'zod/mini';
import { showUtcTime } from '../terminal/show-time.ts';
import {
  countActions,
  type DirectoryPlan,
  type MemberChange,
  type PlanCounts,
  type PlannedAction,
  type PlannedEntry,
} from './plan.ts';

/** More rows than anybody reads on a terminal; a program is given all. */
const SHOWN_ROWS = 200;

export const planHead = ['', 'ENTRY', 'MEMBER', 'BEFORE', 'AFTER'];

const signs: Record<Exclude<PlannedAction, 'keep'>, string> = {
  add: '+ add',
  change: '~ change',
  remove: '- remove',
};

/**
 * One row for each member that changes, and one for each entry that comes or goes; the first 200.
 */
export function planRows({ entries }: DirectoryPlan): { rows: string[][]; left: number } {
  const rows = entries.flatMap(rowsOf);
  return { rows: rows.slice(0, SHOWN_ROWS), left: Math.max(0, rows.length - SHOWN_ROWS) };
}

function rowsOf({ action, kind, id, changes }: PlannedEntry): string[][] {
  if (action === 'keep') return [];
  const head = [signs[action], `${kind} ${id}`];
  if (action === 'change') return changes.map((change) => [...head, ...cellsOf(change)]);
  return [[...head, '', '', action === 'add' ? describeNew(changes) : '']];
}

function cellsOf({ member, before, after, note }: MemberChange): string[] {
  return [member, showValue(before), note ?? showValue(after)];
}

/** What tells one new entry from another. */
const tellingMembers = [
  'client_name',
  'token_endpoint_auth_method',
  'logo_uri',
  'username',
  'email',
];

function describeNew(changes: readonly MemberChange[]): string {
  return changes
    .filter(({ member, note }) => note !== undefined || tellingMembers.includes(member))
    .map(({ after, note }) => (note === undefined ? showValue(after) : `secret ${note}`))
    .join(', ');
}

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.optional(z.string()) })) });

/**
 * A member's value in a cell: keys by their names, lists and objects without brackets, times in
 * UTC, nothing as a dash.
 */
export function showValue(value: unknown): string {
  if (value === undefined) return '-';
  const jwks = keySet.safeParse(value);
  if (jwks.success) return `keys: ${jwks.data.keys.map(({ kid }) => kid ?? 'no kid').join(', ')}`;
  if (Array.isArray(value)) return value.join(' ');
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, inner]) => `${name} ${showInner(name, inner)}`);
  return members.join(', ');
}

/** Within an object a time is a number, or a text for programs. */
function showInner(name: string, value: unknown): string {
  const at = typeof value === 'string' ? Date.parse(value) / 1000 : value;
  const isTime = (name === 'at' || name === 'until') && typeof at === 'number';
  return isTime ? `${showUtcTime(at)} UTC` : showValue(value);
}

/** The plan for a program: what is kept is only counted. */
export function planJson({ entries }: DirectoryPlan) {
  return {
    changes: entries
      .filter(({ action }) => action !== 'keep')
      .map(({ action, kind, id, changes }) => ({ action, kind, id, members: changes })),
    ...countsJson(countActions(entries)),
  };
}

/** How many entries there are of each kind, by what was done or is to be done with them. */
export function countsJson({ add, change, remove, keep }: PlanCounts) {
  return { added: add, changed: change, removed: remove, unchanged: keep };
}

/** `3 to add, 1 to change, 0 to remove, 12 unchanged` */
export function planSummary({ entries }: DirectoryPlan): string {
  const { add, change, remove, keep } = countActions(entries);
  return `${add} to add, ${change} to change, ${remove} to remove, ${keep} unchanged`;
}
