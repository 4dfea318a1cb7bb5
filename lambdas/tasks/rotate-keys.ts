/**
 * Renews the keys of the deployment, every day and when an operator asks: makes the first ones,
 * makes another of each kind when its time has come, and drops what nothing depends on any more. A
 * signing key is stored, then published, and only then allowed to sign, so that whatever is signed
 * can be verified (OpenID Connect Core 10.1.1).
 */
import * as z from 'zod/mini';
import { base64url } from '../ciba/base64url.ts';
import { idTokenSigningAlgorithms, type SigningAlgorithm } from '../ciba/client/client.ts';
import {
  type KeyKind,
  LEAD_SECONDS,
  type PublishedKey,
  type Renewal,
  type Rotation,
  type RotationInput,
  releaseSigningKeys,
  renewLinkKeys,
  renewPublishedKeys,
  renewSigningKeys,
  renewWrappingKeys,
  SECRET_KEY_BYTES,
  type SecretKey,
  type SecretKeyKind,
} from '../ciba/keys/key-rotation.ts';
import { publicHalf } from '../ciba/keys/signing-keys.ts';
import { faultOf, type Log, startLine } from '../log.ts';
import { type Clock, type Entropy, type KeyStore, Unavailable, type Versioned } from '../ports.ts';

export interface RotateKeysDeps {
  keys: KeyStore;
  /** A new private key as a JWK. */
  generateSigningKey: (alg: SigningAlgorithm) => Record<string, string>;
  /** How old the newest key of a kind becomes before another is made, in seconds. */
  periodSeconds: number;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

/** The kinds of which this run made a key. */
export interface RotationResult {
  made: KeyKind[];
}

const rotationInput = z.discriminatedUnion('rotate', [
  z.strictObject({ rotate: z.literal('when-due') }),
  z.strictObject({
    rotate: z.literal('now'),
    lead: z._default(z.int().check(z.gte(0), z.lte(LEAD_SECONDS)), LEAD_SECONDS),
  }),
]) satisfies z.ZodMiniType<unknown, RotationInput>;

/** A run of the task: its input, and what it has made so far. */
interface Run {
  startedAt: number;
  forced: boolean;
  leadSeconds: number;
  made: KeyKind[];
}

const KID_BYTES = 12;

/** How often a write is tried anew whose version another run has replaced. */
const WRITE_ATTEMPTS = 10;

/**
 * Takes `{"rotate":"when-due"}`, or `{"rotate":"now","lead":<seconds>}` for new keys at once that
 * are used after the lead. Safe to repeat and to run twice at once: of runs at once one makes the
 * key of each kind, and a run that was cut off is taken up by the next where it ended.
 * @throws an error that says what the input may be
 */
export function rotateKeysTask(deps: RotateKeysDeps): (input: unknown) => Promise<RotationResult> {
  return async (input) => {
    const log = startLine(deps);
    const event = 'key_rotation';
    const run = { startedAt: deps.clock(), ...readInput(input), made: [] };
    try {
      await rotate(deps, run);
    } catch (error) {
      log({ event, outcome: 'error', ...faultOf(error) });
      throw error;
    }
    log({ event, outcome: run.made.length > 0 ? 'rotated' : 'nothing_due' });
    return { made: run.made };
  };
}

function readInput(input: unknown): Pick<Run, 'forced' | 'leadSeconds'> {
  const parsed = rotationInput.safeParse(input);
  if (!parsed.success) {
    throw new TypeError(
      `The input must be {"rotate":"when-due"} or {"rotate":"now","lead":<seconds from 0 to ${LEAD_SECONDS}>}`,
    );
  }
  return parsed.data.rotate === 'now'
    ? { forced: true, leadSeconds: parsed.data.lead }
    : { forced: false, leadSeconds: LEAD_SECONDS };
}

async function rotate(deps: RotateKeysDeps, run: Run): Promise<void> {
  for (const alg of idTokenSigningAlgorithms) await renewStoredSigningKeys(deps, run, alg);
  await publish(deps);
  for (const alg of idTokenSigningAlgorithms) await release(deps, run, alg);
  await renewStoredSecretKeys(deps, run, 'wrap', renewWrappingKeys);
  // Last: without a lead a link may be made with the new key that a function with the old ones does
  // not know.
  await renewStoredSecretKeys(deps, run, 'link', renewLinkKeys);
}

function renewStoredSigningKeys(
  deps: RotateKeysDeps,
  run: Run,
  alg: SigningAlgorithm,
): Promise<void> {
  const { keys } = deps;
  return renewStored(deps, run, alg, {
    read: () => keys.signingKeys(alg),
    save: (signingKeys, version) => keys.saveSigningKeys(alg, signingKeys, version),
    renew: renewSigningKeys,
    make: () => {
      const jwk = deps.generateSigningKey(alg);
      return { kid: newKid(deps.entropy), jwk, createdAt: deps.clock() };
    },
  });
}

function renewStoredSecretKeys(
  deps: RotateKeysDeps,
  run: Run,
  kind: SecretKeyKind,
  renew: (keys: readonly SecretKey[], rotation: Rotation) => Renewal<SecretKey>,
): Promise<void> {
  return renewStored(deps, run, kind, {
    read: () => deps.keys.secretKeys(kind),
    save: (secretKeys, version) => deps.keys.saveSecretKeys(kind, secretKeys, version),
    renew,
    make: (kept) => {
      const createdAt = deps.clock();
      const lead = kind === 'link' && kept.length > 0 ? run.leadSeconds : 0;
      const secret = base64url(deps.entropy(SECRET_KEY_BYTES));
      return { kid: newKid(deps.entropy), secret, createdAt, usedFrom: createdAt + lead };
    },
  });
}

function newKid(entropy: Entropy): string {
  return base64url(entropy(KID_BYTES));
}

interface StoredKind<Key> {
  read(): Promise<Versioned<Key>>;
  save(keys: Key[], version: number): Promise<boolean>;
  renew(keys: readonly Key[], rotation: Rotation): Renewal<Key>;
  /** A new key beside those that stay. */
  make(kept: readonly Key[]): Key;
}

/** Makes a key if one is wanted, drops what is over, and writes only if anything changes. */
async function renewStored<Key extends { kid: string }>(
  { clock, periodSeconds }: RotateKeysDeps,
  { startedAt, forced, made }: Run,
  kind: KeyKind,
  { read, save, renew, make }: StoredKind<Key>,
): Promise<void> {
  let known: readonly Key[] | undefined;
  let added: Key | undefined;
  await untilWritten(async () => {
    const { keys, version } = await read();
    known ??= keys;
    // A key that came meanwhile was made by a run at the same time, or by this one and the answer
    // was lost.
    const isServed = keys.some((key) => !includes(known, key));
    const rotation = { now: clock(), startedAt, periodSeconds, forced: forced && !isServed };
    const { kept, isNewWanted } = renew(keys, rotation);
    if (isNewWanted) {
      added = make(kept);
      if (!(await save([added, ...kept], version))) return false;
    } else if (kept.length < keys.length && !(await save(kept, version))) {
      return false;
    }
    if (added && (isNewWanted || includes(keys, added))) made.push(kind);
    return true;
  });
}

function includes<Key extends { kid: string }>(keys: readonly Key[] = [], { kid }: Key): boolean {
  return keys.some((key) => key.kid === kid);
}

async function publish({ keys, clock }: RotateKeysDeps): Promise<void> {
  await untilWritten(async () => {
    const published = await keys.publishedKeys();
    const signing = await Promise.all(
      idTokenSigningAlgorithms.map(async (alg) =>
        (await keys.signingKeys(alg)).keys.map(({ kid, jwk }) => publicHalf(kid, alg, jwk)),
      ),
    );
    const renewed = renewPublishedKeys(published.keys, signing.flat(), clock());
    return isSame(renewed, published.keys) || keys.savePublishedKeys(renewed, published.version);
  });
}

function isSame(some: readonly PublishedKey[], others: readonly PublishedKey[]): boolean {
  return (
    some.length === others.length &&
    some.every(
      ({ jwk, keptUntil }, index) =>
        jwk.kid === others[index]?.jwk.kid && keptUntil === others[index]?.keptUntil,
    )
  );
}

async function release(deps: RotateKeysDeps, run: Run, alg: SigningAlgorithm): Promise<void> {
  await untilWritten(async () => {
    const published = await deps.keys.publishedKeys();
    const { keys, version } = await deps.keys.signingKeys(alg);
    const kids = published.keys.map(({ jwk }) => jwk.kid);
    const released = releaseSigningKeys(keys, kids, deps.clock(), run.leadSeconds);
    const isUnchanged = released.every((key, index) => key.signsFrom === keys[index]?.signsFrom);
    return isUnchanged || deps.keys.saveSigningKeys(alg, released, version);
  });
}

/** Repeats a write whose version another run has replaced. @throws Unavailable if that goes on */
async function untilWritten(write: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    if (await write()) return;
  }
  throw new Unavailable('the keys are being renewed by others');
}
