/**
 * The keys in memory, with the versions of the table: whoever names an old one is refused. Tells
 * what was written, and can be cut off before any write.
 */
import type { SigningAlgorithm } from '../../lambdas/ciba/client/client.ts';
import type {
  PublishedKey,
  SecretKey,
  SecretKeyKind,
} from '../../lambdas/ciba/keys/key-rotation.ts';
import type { SigningKey } from '../../lambdas/ciba/keys/signing-keys.ts';
import type { KeyStore, Versioned } from '../../lambdas/ports.ts';

export interface InMemoryKeys extends KeyStore {
  signing: Record<SigningAlgorithm, Versioned<SigningKey>>;
  secrets: Record<SecretKeyKind, Versioned<SecretKey>>;
  published: Versioned<PublishedKey>;
  /** The kinds that were written, in order. */
  writes: string[];
  /** How many writes are still made; the next one throws. */
  writesLeft: number;
}

const nothing = () => ({ keys: [], version: 0 });

export function inMemoryKeys(): InMemoryKeys {
  const write = <Key>(kind: string, kept: Versioned<Key>, keys: Key[], version: number) => {
    if (kept.version !== version) return false;
    if (store.writesLeft === 0) throw new Error('cut off');
    store.writesLeft -= 1;
    store.writes.push(kind);
    Object.assign(kept, structuredClone({ keys, version: version + 1 }));
    return true;
  };
  const store: InMemoryKeys = {
    signing: { ES256: nothing(), RS256: nothing() },
    secrets: { link: nothing(), wrap: nothing() },
    published: nothing(),
    writes: [],
    writesLeft: Number.POSITIVE_INFINITY,
    signingKeys: async (alg) => structuredClone(store.signing[alg]),
    saveSigningKeys: async (alg, keys, version) => write(alg, store.signing[alg], keys, version),
    secretKeys: async (kind) => structuredClone(store.secrets[kind]),
    saveSecretKeys: async (kind, keys, version) => write(kind, store.secrets[kind], keys, version),
    publishedKeys: async () => structuredClone(store.published),
    savePublishedKeys: async (keys, version) => write('jwks', store.published, keys, version),
  };
  return store;
}
