/**
 * Makes the keys a new deployment starts with: one signing key of each algorithm, the link key and the wrapping key. A signing key is
 * stored, then published, and only then allowed to sign, so that whatever is signed can be verified.
 */
import { idTokenSigningAlgorithms, type SigningAlgorithm } from '../ciba/client.ts';
import { publicHalf, type SigningKey } from '../ciba/signing-keys.ts';
import { elapsedMs, type Log } from '../log.ts';
import type { Clock, Entropy, KeyStore } from '../ports.ts';

export interface FirstKeysDeps {
  keys: KeyStore;
  /** A new private key as a JWK. */
  generateSigningKey: (alg: SigningAlgorithm) => Record<string, string>;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

const KID_BYTES = 12;
/** Of a link key (HMAC-SHA-256) and of a wrapping key (AES-256). */
const SECRET_KEY_BYTES = 32;

/**
 * Sees to it that every kind of key exists; keys that exist are left alone. Safe to repeat and to run twice at once:
 * of two runs one key of each kind remains, and a run that was cut off is taken up where it ended.
 */
export function firstKeysTask(deps: FirstKeysDeps): () => Promise<void> {
  return async () => {
    const started = deps.clock();
    for (const alg of idTokenSigningAlgorithms) await ensureSigningKey(deps, alg);
    await deps.keys.createLinkKey(newKid(deps.entropy), deps.entropy(SECRET_KEY_BYTES));
    await deps.keys.createWrappingKey(newKid(deps.entropy), deps.entropy(SECRET_KEY_BYTES));
    deps.log({
      event: 'first_keys',
      outcome: 'ok',
      ms: elapsedMs(started, deps.clock()),
    });
  };
}

function newKid(entropy: Entropy): string {
  return Buffer.from(entropy(KID_BYTES)).toString('base64url');
}

async function ensureSigningKey(deps: FirstKeysDeps, alg: SigningAlgorithm): Promise<void> {
  await storeSigningKey(deps, alg);
  const { keys, version } = await deps.keys.signingKeys(alg);
  await deps.keys.publish(keys.map(({ kid, jwk }) => publicHalf(kid, alg, jwk)));
  if (keys.every((key) => key.signsFrom !== undefined)) return;
  const signsFrom = deps.clock();
  // Lost to another run, the version has moved on, and that run has published and released the same key.
  await deps.keys.saveSigningKeys(
    alg,
    keys.map((key) => ({ ...key, signsFrom: key.signsFrom ?? signsFrom })),
    version,
  );
}

async function storeSigningKey(deps: FirstKeysDeps, alg: SigningAlgorithm): Promise<void> {
  const { keys, version } = await deps.keys.signingKeys(alg);
  if (keys.length > 0) return;
  const key: SigningKey = { kid: newKid(deps.entropy), jwk: deps.generateSigningKey(alg) };
  await deps.keys.saveSigningKeys(alg, [key], version);
}
