/**
 * What applying would do with users, and with the logins that lead to them: a login belongs to one
 * user, and goes to another only once the first has given it up.
 */

import { loginItem } from '../../../lambdas/aws/directory-table.ts';
import type { Item } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { isSameEmail, logins, parseEmail } from '../../../lambdas/ciba/user/login.ts';
import { storedUser, type User } from '../../../lambdas/ciba/user/user.ts';
import { type DirectoryStore, readItems } from './directory-items.ts';
import { changesOf, type LoginClaim, type PlannedEntry } from './plan.ts';
import { REVOCATION_MEMBER, versioned } from './plan-clients.ts';
import type { UserRegistration } from './registration/user-registration.ts';

/** A user as somebody wants it to be. */
export interface WantedUser {
  sub: string;
  /** The registration, which may depend on what is stored. */
  register(before: User | undefined): UserRegistration;
}

/** A user who cannot be as they are wanted. */
export interface RefusedUser {
  sub: string;
  reason: string;
}

const storedMembers = Object.keys(storedUser.shape).filter(
  (member) => member !== REVOCATION_MEMBER,
);

/**
 * The members of a stored user that are as they were registered; the others are the provider's own.
 */
export const userMembers = storedMembers.filter(
  (member) => member !== 'contact_version' && member !== 'undeliverable',
);

/**
 * Plans users, in the order in which they can be written: who gives up a login goes before who
 * takes it. Nobody who is refused is among those planned, nor anybody who waits for one.
 * @param removed subs of users who are removed before
 * @param told is told how many of the reads are done; there are about three for a user
 */
export async function planUsers(
  store: DirectoryStore,
  wanted: readonly WantedUser[],
  removed: ReadonlySet<string>,
  told?: (count: number) => void,
): Promise<{ planned: PlannedEntry[]; refused: RefusedUser[] }> {
  const items = await readItems(
    store,
    wanted.map(({ sub }) => directoryKey.user(sub)),
    told,
  );
  const now = store.clock();
  const drafts = new Map(
    wanted.map((user) => [user.sub, draftOf(user, items.get(directoryKey.user(user.sub)), now)]),
  );
  const holders = await readHolders(store, [...drafts.values()].flatMap(loginsOf), told);
  const strangers = [...holders.values()].filter((sub) => !drafts.has(sub) && !removed.has(sub));
  const others = await readItems(store, strangers.map(directoryKey.user));

  const holds = (sub: string, login: string): Holding => {
    const draft = drafts.get(sub);
    if (draft?.logins.includes(login)) return 'keeps';
    if (draft?.before && logins(draft.before).includes(login)) return 'gives up';
    const other = others.get(directoryKey.user(sub));
    return other && logins(storedUser.parse(other)).includes(login) ? 'keeps' : 'not any more';
  };
  const possible: PlannedEntry[] = [];
  const refused: RefusedUser[] = [];
  for (const draft of drafts.values()) {
    const judged = judge(draft, holders, holds);
    if ('reason' in judged) refused.push(judged);
    else possible.push(judged);
  }
  const { planned, stuck } = inOrder(possible);
  return { planned, refused: [...refused, ...stuck] };
}

/** Whether a user to whom a login leads still has it; where it is not so, it may be taken. */
type Holding = 'keeps' | 'gives up' | 'not any more';

/** A user before and after. */
interface Draft {
  sub: string;
  item: Item | undefined;
  before: User | undefined;
  after: User;
  logins: string[];
}

function draftOf(wanted: WantedUser, item: Item | undefined, now: number): Draft {
  const before = item && storedUser.parse(item);
  const after = nextUser(wanted.register(before), before, now);
  return { sub: wanted.sub, item, before, after, logins: logins(after) };
}

function loginsOf(draft: Draft): string[] {
  return draft.logins;
}

function nextUser(registration: UserRegistration, before: User | undefined, now: number): User {
  const email = registration.email === undefined ? undefined : parseEmail(registration.email);
  // Written in other letters it is another address to the mail system (RFC 5321, 2.4).
  const sameContact =
    before?.email === email && before?.email_verified === registration.email_verified;
  // What is noted of an address is true of it until the operator says otherwise, and of no other
  // one.
  const noted = before?.undeliverable;
  const undeliverable = noted && isSameEmail(noted.email, email) ? noted : undefined;
  return storedUser.parse({
    ...registration,
    ...(email !== undefined && { email }),
    ...(undeliverable && { undeliverable }),
    contact_version:
      before && sameContact ? before.contact_version : nextContactVersion(before, now),
  });
}

/**
 * Never one that an earlier user of the same subject had: a removed user who comes back has
 * another.
 */
function nextContactVersion(before: User | undefined, now: number): number {
  return Math.max(Math.floor(now * 1000), (before?.contact_version ?? 0) + 1);
}

/** Whom each login leads to. */
async function readHolders(
  store: DirectoryStore,
  wanted: readonly string[],
  told?: (count: number) => void,
): Promise<Map<string, string>> {
  const items = await readItems(store, wanted.map(directoryKey.login), told);
  const holders = new Map<string, string>();
  for (const login of wanted) {
    const item = items.get(directoryKey.login(login));
    if (item) holders.set(login, loginItem.parse(item).sub);
  }
  return holders;
}

function judge(
  draft: Draft,
  holders: ReadonlyMap<string, string>,
  holds: (sub: string, login: string) => Holding,
): PlannedEntry | RefusedUser {
  const claims: LoginClaim[] = [];
  const waitsFor: string[] = [];
  for (const login of draft.logins) {
    const holder = holders.get(login);
    if (holder === draft.sub) continue;
    const holding = holder === undefined ? 'not any more' : holds(holder, login);
    if (holding === 'keeps') return { sub: draft.sub, reason: belongs(login, holder) };
    claims.push({ login, holder });
    if (holding === 'gives up' && holder !== undefined) waitsFor.push(holder);
  }
  return planUser(draft, claims, waitsFor);
}

function belongs(login: string, holder: string | undefined): string {
  return `${login} belongs to user ${holder}`;
}

function planUser(draft: Draft, claims: LoginClaim[], waitsFor: string[]): PlannedEntry {
  const { sub, item, before, after } = draft;
  const changes = changesOf(userMembers, before, after);
  // A login that leads nowhere although the user has it: somebody took it at the same moment, or
  // removed the item by hand.
  const mended = changes.length > 0 ? [] : claims;
  changes.push(...mended.map(({ login }) => ({ member: 'login', after: login })));
  return {
    kind: 'user',
    id: sub,
    action: item === undefined ? 'add' : changes.length > 0 ? 'change' : 'keep',
    changes,
    version: item && versioned.parse(item).version,
    members: after,
    dropped: droppedMembers(draft),
    claims,
    givenUp: before ? logins(before).filter((login) => !draft.logins.includes(login)) : [],
    waitsFor,
  };
}

/**
 * What others have noted about a user is about the address, and goes with it; what the operator has
 * ended stays so.
 */
function droppedMembers({ item, before, after }: Draft): string[] {
  const kept = ['pk', 'version', REVOCATION_MEMBER, ...storedMembers];
  const isOther = (member: string) => !kept.includes(member);
  const isNewContact = before?.contact_version !== after.contact_version;
  return Object.keys(item ?? {}).filter(
    (member) =>
      (storedMembers.includes(member) && !(member in after)) || (isNewContact && isOther(member)),
  );
}

/**
 * Those who wait come after those they wait for; who waits for nobody's end, or for one who is
 * refused, is stuck.
 */
function inOrder(possible: readonly PlannedEntry[]): {
  planned: PlannedEntry[];
  stuck: RefusedUser[];
} {
  const planned: PlannedEntry[] = [];
  const done = new Set<string>();
  const isReady = ({ waitsFor }: PlannedEntry) => waitsFor.every((sub) => done.has(sub));
  let waiting = [...possible];
  for (let ready = waiting.filter(isReady); ready.length > 0; ready = waiting.filter(isReady)) {
    planned.push(...ready);
    for (const { id } of ready) done.add(id);
    waiting = waiting.filter(({ id }) => !done.has(id));
  }
  const subs = new Set(waiting.map(({ id }) => id));
  return { planned, stuck: waiting.map((entry) => describeStuck(entry, subs)) };
}

function describeStuck(
  { id, claims, waitsFor }: PlannedEntry,
  waiting: ReadonlySet<string>,
): RefusedUser {
  const exchanged = claims.find(({ holder }) => holder !== undefined && waiting.has(holder));
  if (exchanged) {
    const reason = `${belongs(exchanged.login, exchanged.holder)}, who is not changed either; users who exchange logins need a step between`;
    return { sub: id, reason };
  }
  const taken = claims.find(({ holder }) => holder !== undefined && waitsFor.includes(holder));
  return { sub: id, reason: belongs(taken?.login ?? '', taken?.holder) };
}
