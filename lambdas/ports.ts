/**
 * The outside as the endpoints and tasks see it. Each method is an event of the protocol; its
 * docblock says what holds whatever else happens at the same moment. Expected outcomes are
 * returned. What is thrown is either {@link Unavailable} or a defect.
 */
import type { KeyObject } from 'node:crypto';
import type { Client, SigningAlgorithm } from './ciba/client/client.ts';
import type { SingleUse } from './ciba/client/client-assertion.ts';
import type { MacKey } from './ciba/client/secret-mac.ts';
import type { PublishedKey, SecretKey, SecretKeyKind } from './ciba/keys/key-rotation.ts';
import type { PublicJwk, SigningKey } from './ciba/keys/signing-keys.ts';
import type { MailFailure, UndeliverableCause } from './ciba/mail-failure.ts';
import type {
  AskedUser,
  LimitReached,
  NotificationPolicy,
} from './ciba/policy/notification-policy.ts';
import type {
  AuthenticationRequest,
  FailureCause,
  PendingRequest,
  RequestStatus,
} from './ciba/request/authentication-request.ts';
import type { RefusedRequest } from './ciba/request/refused-request.ts';
import type { RefusalOf } from './ciba/request/rule.ts';
import type {
  Claim,
  claimingMail,
  DecisionOfUser,
  deciding,
  Owner,
  Redemption,
  redeeming,
  revoking,
  Undecidable,
  WrongCode,
} from './ciba/request/rules.ts';
import type { Claims } from './ciba/request/tokens.ts';
import type { User } from './ciba/user/user.ts';
import type { TemplateData } from './ciba/words/notification.ts';

/**
 * Something that the provider depends on cannot answer now. Nothing is known to have changed, and
 * trying again is safe. Each edge makes its own answer of it: `temporarily_unavailable`, a page
 * with 503, a run that failed.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';

  /** @param cause what was thrown, or a word of ours; the log tells it */
  constructor(cause: unknown) {
    super(typeof cause === 'string' ? cause : 'A service does not answer.', { cause });
  }
}

export type PollOutcome =
  | { outcome: 'stamped'; before: AuthenticationRequest }
  | { outcome: 'not_found' };

export type ClaimOutcome =
  | { outcome: 'claimed'; request: AuthenticationRequest }
  | { outcome: RefusalOf<typeof claimingMail> };

/** Why nothing can be decided any more, and how it was where it is decided. */
export type Undecided =
  | { outcome: Exclude<Undecidable, 'already_decided'> }
  | { outcome: 'already_decided'; status: Exclude<RequestStatus, 'pending' | 'failed'> };

export type DecideOutcome =
  | Undecided
  | { outcome: 'decided' }
  | { outcome: Exclude<RefusalOf<typeof deciding>, Undecidable> };

/** `left` is how often a code may still be wrong. */
export type WrongCodeOutcome =
  | Undecided
  | { outcome: 'counted'; left: number }
  | { outcome: 'denied' };

export type RedeemOutcome = { outcome: 'redeemed' | RefusalOf<typeof redeeming> };

export type RevokeOutcome =
  | { outcome: 'revoked' | 'revoked_before'; revokedAt: number }
  | { outcome: Exclude<RefusalOf<typeof revoking>, 'revoked_before'> };

/**
 * The authentication requests. Every method but `find` is one atomic step with its whole guard
 * inside: of any number of callers at the same moment each sees the state that one of them left,
 * and no guard is ever judged on a stale read.
 */
export interface AuthenticationRequestStore {
  /**
   * Acknowledges a request. @throws if the ref is taken: 130 random bits are not, so it is a
   * defect.
   */
  create(request: PendingRequest): Promise<void>;

  /** The request as the last finished write left it (a strongly consistent read). */
  find(ref: string): Promise<AuthenticationRequest | undefined>;

  /**
   * Stamps a poll of the owner and returns the request as it was before, in one write.
   * Unknown, foreign and redeemed requests are one answer and are not touched.
   */
  stampPoll(owner: Owner, now: number): Promise<PollOutcome>;

  /**
   * After a poll too early, raises the interval that the poll was judged by, for good and once,
   * however often this is repeated, up to the most that is enforced, and returns the interval from
   * now on, in seconds; `undefined` if decided meanwhile.
   */
  slowDown(ref: string, judgedBy: number): Promise<number | undefined>;

  /**
   * Writes the user's decision if the request is pending, unexpired and this link's, and an
   * approval only if its code was typed where one is asked for. At most one ever wins.
   */
  decide(decision: DecisionOfUser): Promise<DecideOutcome>;

  /**
   * Counts a wrong code, each one, and denies with the last that may be: of any number of callers
   * at the same moment no more are told that they may try again, and no code counts after it. A
   * write repeated under the same attempt id, with no other in between, recognises its own count.
   */
  countWrongCode(wrong: WrongCode): Promise<WrongCodeOutcome>;

  /**
   * Redeems an approved request. At most one attempt ever wins, however many race; a write repeated
   * under the same attempt id recognises its own win. A thrown error leaves it unknown who won: the
   * client polls again.
   */
  redeem(redemption: Redemption): Promise<RedeemOutcome>;

  /**
   * Records that an auth_req_id is shown again later than ten seconds after its redemption, once,
   * which ends its refresh token for good. True if this call recorded it.
   */
  recordReplay(owner: Owner, now: number): Promise<boolean>;

  /**
   * Lets one mail task send until the lease ends. The link nonce is written by the first claim and
   * never changes.
   */
  claimMail(claim: Claim): Promise<ClaimOutcome>;

  /**
   * Stamps the mail as accepted; nothing is sent afterwards. False if the claim is no longer this
   * one.
   */
  recordMailed(ref: string, claimId: string, now: number): Promise<boolean>;

  /** Gives the claim back after a definite failure. False if the claim is no longer this one. */
  releaseMail(ref: string, claimId: string): Promise<boolean>;

  /** Marks a pending request failed. False if it is over already: a decision is never touched. */
  fail(ref: string, cause: FailureCause, now: number): Promise<boolean>;

  /**
   * Ends the refresh token of a redeemed request for good; of any number of calls the first one's
   * time is kept.
   */
  revoke(ref: string, now: number): Promise<RevokeOutcome>;

  /**
   * Keeps the first news that a mail did not arrive or was not wanted, whatever has become of the
   * request; one that still waits for its user fails in the same write. A decision is never
   * touched, nor is an end. True if this call kept it.
   */
  recordMailFailure(ref: string, failure: MailFailure, now: number): Promise<boolean>;

  /**
   * Keeps for the audit that an authenticated client's request was refused; no handle leads to it.
   */
  refuse(refused: RefusedRequest): Promise<void>;
}

/** Whoever is asked: a user, or what a hint says that names nobody. */
export type Addressee = { sub: string } | { hint: string };

/** A mail that is about to be asked for. */
export interface MailOfDay {
  clientId: string;
  /** Epoch seconds. */
  at: number;
  /** Mails of all clients on a day, by the client's policy. */
  mailsPerDay: number;
  /**
   * Whether the client is one of `unknown_user: decoy`, and whether this is for nobody, so that
   * none will be sent.
   */
  hasDecoys: boolean;
  isDecoy: boolean;
}

/** Where a mail was counted. */
export interface CountedMail extends MailOfDay {
  counter: number;
}

export interface NotificationQuotas {
  /**
   * Counts one notification for its addressee if the policy lets it, in one atomic step: of any
   * number of callers at the same moment no more are let through than the limits say, and of one
   * client no more than its share. Answers the limit that was reached, if one was. Addressees that
   * exist and that do not cost the same reads and writes, and all are counted, whatever the policy:
   * pages tell of what waits by the same history (threats T4).
   */
  countAsked(
    addressee: Addressee,
    asked: AskedUser,
    policy: NotificationPolicy,
  ): Promise<LimitReached | undefined>;

  /**
   * Takes back one that was counted and came to nothing; of any number of calls it is taken back
   * once.
   */
  uncountAsked(addressee: Addressee, asked: AskedUser): Promise<void>;

  /**
   * Counts one mail on its day, unless the client's share or the whole is used up. Never is one
   * mail too many let through, and a decoy takes nothing from other clients. Its own client sees
   * the same whether a mail is one or is a decoy.
   */
  countMail(
    mail: MailOfDay,
  ): Promise<{ outcome: 'counted'; counted: CountedMail } | { outcome: 'over'; ofShare: boolean }>;

  /**
   * Takes a mail back that was certainly not sent, once at most: after a fault the count is too
   * high, never too low.
   */
  uncountMail(counted: CountedMail): Promise<void>;
}

export interface AskedUsers {
  /**
   * When the other requests were made that wait for the decision of this user beside the one `ref`,
   * oldest first, ten at most, whatever the policies of their clients.
   */
  othersPending(sub: string, ref: string, now: number): Promise<number[]>;
}

/** How old an answer may be: `cached` at most ten seconds, `consistent` not at all. */
export type Freshness = 'cached' | 'consistent';

export interface ClientDirectory {
  /** The client, enabled or not. */
  findClient(clientId: string, freshness: Freshness): Promise<Client | undefined>;

  /** The client as it was read at `since` or later: from memory if it was, else now. */
  findClientSince(clientId: string, since: number): Promise<Client | undefined>;
}

/**
 * What a JWT that may be used once was for. No JWT is of two kinds (`ciba/jwt-kinds.ts`), so each
 * has its own `jti`s.
 */
export type SingleUseKind = 'assertion' | 'login_hint_token';

export interface UsedTokenIds {
  /**
   * Remembers a client's `jti` until its JWT is worth nothing any more. True for exactly one of any
   * number of callers, in one atomic step; a write that was repeated after a lost answer recognises
   * itself.
   */
  burn(kind: SingleUseKind, clientId: string, use: SingleUse): Promise<boolean>;
}

export interface UserDirectory {
  /** The user with this subject, enabled or not; a strongly consistent read. */
  findUser(sub: string): Promise<User | undefined>;

  /** The user who has this user name or address, in normal form, right now. */
  findUserByLogin(login: string): Promise<User | undefined>;
}

export interface UndeliverableAddresses {
  /**
   * Notes that mail to a user's address does not arrive, in one atomic step: unless it is noted
   * already, or the user is reached elsewhere than at this contact version by now. Nobody is asked
   * there from then on. True if this call noted it.
   */
  noteUndeliverable(
    user: { sub: string; contactVersion: number },
    cause: UndeliverableCause,
    now: number,
  ): Promise<boolean>;
}

export interface PublicKeys {
  /** Every published key (RFC 7517), newest first. */
  publicKeys(): Promise<PublicJwk[]>;
}

export interface Logos {
  /**
   * The PNG with this hash, if it is the logo of this client, or was until the last change of it.
   */
  findLogo(clientId: string, hash: string): Promise<Uint8Array | undefined>;
}

export interface TokenSigner {
  /**
   * A JWS in compact form, signed with the current key of the algorithm; its header names `typ`,
   * `alg` and `kid`. Signs only with keys that are published.
   */
  sign(alg: SigningAlgorithm, typ: string, claims: Claims): Promise<string>;
}

export interface LinkKeys {
  /**
   * The keys that links and form tokens are proved with, the one that makes new ones first. Never
   * empty.
   */
  linkKeys(): Promise<readonly [KeyObject, ...KeyObject[]]>;
}

export interface AddresseeNames {
  /**
   * A name of 256 bits that stands for an addressee, always the same: the counters of users, and of
   * hints that name nobody, are kept under it. That of a hint tells nothing.
   */
  nameOf(addressee: Addressee): Promise<string>;
}

export interface WrappingKeys {
  /**
   * The secret that was wrapped for this client, with whichever key of the deployment.
   * @throws Unavailable if the key is not to be had
   */
  unwrap(clientId: string, wrapped: string): Promise<string>;

  /**
   * The keys of these names that client secrets are stored under, in their order; any key for one
   * that is not named. Whichever are asked for, keys that are remembered cost no read.
   * @throws Unavailable if one is not to be had
   */
  macKeys(kids: readonly (string | undefined)[]): Promise<MacKey[]>;
}

export interface Flow {
  /**
   * Starts the named flow, which notifies the user. It may run more than once; every task is safe
   * against that.
   * @throws if the deployment has no flow of this name
   */
  start(ref: string, flowName: string): Promise<void>;
}

export interface Mail {
  /** The public id of the request; what is heard of the mail later names it. */
  ref: string;
  clientId: string;
  to: string;
  templateName: string;
  data: TemplateData;
}

export interface Mailer {
  /**
   * Hands one mail over. `rejected` is for good; `deferred` was definitely not accepted, a later
   * try may be. A thrown error leaves it unknown whether the mail went out.
   */
  send(
    mail: Mail,
  ): Promise<{ outcome: 'accepted' } | { outcome: 'rejected' | 'deferred'; reason: string }>;
}

/**
 * What was read, and the version of it that the write which replaces it has to name; 0 is none yet.
 */
export interface Versioned<Key> {
  keys: Key[];
  version: number;
}

/**
 * The keys as the one function that writes them sees them. Every read is strongly consistent; every
 * write replaces the keys of one kind in one atomic step, and answers false if the version is no
 * longer the stored one.
 */
export interface KeyStore {
  signingKeys(alg: SigningAlgorithm): Promise<Versioned<SigningKey>>;
  saveSigningKeys(alg: SigningAlgorithm, keys: SigningKey[], version: number): Promise<boolean>;

  secretKeys(kind: SecretKeyKind): Promise<Versioned<SecretKey>>;
  saveSecretKeys(kind: SecretKeyKind, keys: SecretKey[], version: number): Promise<boolean>;

  /** What /jwks shows, with the times at which keys leave it, which it does not show. */
  publishedKeys(): Promise<Versioned<PublishedKey>>;
  savePublishedKeys(keys: PublishedKey[], version: number): Promise<boolean>;
}

/** The wall clock, in epoch seconds to the millisecond. */
export type Clock = () => number;

/**
 * Starts a stopwatch. The function it returns waits until a whole number of steps has passed, each
 * of that many seconds.
 */
export type StartPadding = () => (step: number) => Promise<void>;

/** That many bytes from a cryptographic random source. */
export type Entropy = (bytes: number) => Uint8Array;
