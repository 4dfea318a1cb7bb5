/**
 * A rule of a request as data: what it demands, in order, each demand with the answer where it does
 * not hold, and what it writes. A store makes one conditional write of it; here it is judged and
 * applied to what is known of a request.
 */
import type { AuthenticationRequest } from './authentication-request.ts';

type MemberOf<Request> = Request extends unknown ? keyof Request & string : never;

/** A member that a request has in some status. */
export type Member = MemberOf<AuthenticationRequest>;

type Value = string | number;

type Order = '<' | '<=' | '>' | '>=';

/** Of a member that is not there no comparison holds but `<>`. */
export type Clause =
  | readonly ['=' | '<>', Member, Value]
  | readonly [Order, Member, number]
  | readonly ['in', Member, readonly Value[]]
  | readonly ['present' | 'absent', Member]
  | readonly ['all' | 'any', readonly Clause[]];

/** What is written, by member; what is undefined is not written. */
export type Members = { [Name in Member]?: unknown };

export interface Rule<Refusal extends string> {
  /** The first that does not hold is the answer. */
  demands: readonly (readonly [Clause, Refusal])[];
  set?: Members;
  /** Written where the request has no such member. */
  keep?: Members;
  /** Added to a number; nothing is zero. */
  count?: { [Name in Member]?: number };
  remove?: readonly Member[];
}

/** Why the rules that this builds may be refused. */
export type RefusalOf<Builder> = Builder extends (...args: never[]) => Rule<infer Refusal>
  ? Refusal
  : never;

/** What a rule makes of a request: what it leaves behind, or why it is refused. */
export type Attempt<Refusal extends string> =
  | { next: AuthenticationRequest; refused?: never }
  | { next?: never; refused: Refusal };

/** Applies a rule to a request, or to nothing where there is none. */
export function attempt<Refusal extends string>(
  rule: Rule<Refusal>,
  request: AuthenticationRequest | undefined,
): Attempt<Refusal> {
  const refused = judge(rule, request);
  if (refused !== undefined) return { refused };
  if (!request) throw new Error('a rule demands nothing that only a request has');
  return { next: applied(rule, request) };
}

/** Why a rule is refused, or undefined where all that it demands holds. */
export function judge<Refusal extends string>(
  { demands }: Rule<Refusal>,
  request: AuthenticationRequest | undefined,
): Refusal | undefined {
  const members: Members = request ?? {};
  return demands.find(([clause]) => !holds(clause, members))?.[1];
}

function holds(clause: Clause, members: Members): boolean {
  switch (clause[0]) {
    case 'all':
      return clause[1].every((inner) => holds(inner, members));
    case 'any':
      return clause[1].some((inner) => holds(inner, members));
    case 'present':
      return members[clause[1]] !== undefined;
    case 'absent':
      return members[clause[1]] === undefined;
    case 'in':
      return clause[2].some((value) => members[clause[1]] === value);
    case '=':
      return members[clause[1]] === clause[2];
    case '<>':
      return members[clause[1]] !== clause[2];
    default:
      return isOrdered(members[clause[1]], clause[0], clause[2]);
  }
}

function isOrdered(found: unknown, order: Order, value: number): boolean {
  if (typeof found !== 'number') return false;
  switch (order) {
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
  }
}

function applied(
  { set = {}, keep = {}, count = {}, remove = [] }: Rule<string>,
  request: AuthenticationRequest,
): AuthenticationRequest {
  const next: Members = { ...request };
  for (const [name, value] of membersOf(keep)) next[name] ??= value;
  for (const [name, value] of membersOf(set)) if (value !== undefined) next[name] = value;
  for (const [name, by] of membersOf(count)) next[name] = Number(next[name] ?? 0) + by;
  for (const name of remove) delete next[name];
  // That it has the members of its status is the promise of the rule.
  return next as unknown as AuthenticationRequest;
}

/** The members that these are, each with its value. */
export function membersOf<Value>(members: { [Name in Member]?: Value }): [Member, Value][] {
  return Object.entries(members) as [Member, Value][];
}

/** Every member that a rule looks at or writes, each once. */
export function membersNamedBy({
  demands,
  set = {},
  keep = {},
  count = {},
  remove = [],
}: Rule<string>): Member[] {
  const demanded = demands.flatMap(([clause]) => membersOfClause(clause));
  const written = [set, keep, count].flatMap((members) => membersOf(members));
  return [...new Set([...demanded, ...written.map(([name]) => name), ...remove])];
}

function membersOfClause(clause: Clause): Member[] {
  switch (clause[0]) {
    case 'all':
    case 'any':
      return clause[1].flatMap(membersOfClause);
    default:
      return [clause[1]];
  }
}
