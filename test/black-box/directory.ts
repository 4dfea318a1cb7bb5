/**
 * The clients and users of the black-box suite. Each file of cases has a user of its own, so that
 * files run side by side.
 */
import { type KeyAlgorithm, publicKey } from './client-keys.ts';

interface Registered {
  client_id: string;
  client_name: string;
  id_token_signed_response_alg: 'RS256' | 'ES256';
}

/** A client and the secret it presents. */
export interface SecretClient extends Registered {
  client_secret: string;
  token_endpoint_auth_method: 'client_secret_basic' | 'client_secret_post';
}

/** A client and the secret it signs with. */
export interface SecretJwtClient extends Registered {
  client_secret: string;
  token_endpoint_auth_method: 'client_secret_jwt';
  token_endpoint_auth_signing_alg: 'HS256' | 'HS384' | 'HS512';
}

/** A client whose key is the one of its algorithm in `client-keys.ts`. */
export interface KeyClient extends Registered {
  token_endpoint_auth_method: 'private_key_jwt';
  token_endpoint_auth_signing_alg: KeyAlgorithm;
}

export type TestClient = SecretClient | SecretJwtClient | KeyClient;

function registered<Alg extends Registered['id_token_signed_response_alg']>(
  name: string,
  alg: Alg,
) {
  return {
    client_id: name,
    client_name: `Fuel & Go, ${name}`,
    id_token_signed_response_alg: alg,
    scope: 'openid profile email offline_access payments:read',
    grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
  };
}

/**
 * With characters that form-encoding changes, as RFC 6749 2.3.1 wants them sent, and as long as
 * HS512 wants it.
 */
function secretOf(name: string): string {
  return `${name}: a secret + 100% of & for = tests, as long as HS512 wants a secret`;
}

function client(
  name: string,
  method: SecretClient['token_endpoint_auth_method'],
  alg: SecretClient['id_token_signed_response_alg'],
) {
  return {
    ...registered(name, alg),
    client_secret: secretOf(name),
    token_endpoint_auth_method: method,
  } satisfies SecretClient;
}

function secretJwtClient(alg: SecretJwtClient['token_endpoint_auth_signing_alg']) {
  const name = `secret-jwt-${alg.toLowerCase()}`;
  return {
    ...registered(name, 'ES256'),
    client_secret: secretOf(name),
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: alg,
  } satisfies SecretJwtClient;
}

function keyClient(alg: KeyAlgorithm) {
  return {
    ...registered(`key-jwt-${alg.toLowerCase()}`, 'RS256'),
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [publicKey(alg)] },
  } satisfies KeyClient & { jwks: object };
}

export const clients = {
  basic: client('basic-rs256', 'client_secret_basic', 'RS256'),
  basicEs256: client('basic-es256', 'client_secret_basic', 'ES256'),
  post: client('post-rs256', 'client_secret_post', 'RS256'),
  postEs256: client('post-es256', 'client_secret_post', 'ES256'),
  hs256: secretJwtClient('HS256'),
  hs384: secretJwtClient('HS384'),
  hs512: secretJwtClient('HS512'),
  es256: keyClient('ES256'),
  ps256: keyClient('PS256'),
  rs256: keyClient('RS256'),
  eddsa: keyClient('EdDSA'),
  /** Whose assertions may name what CIBA Core 7.1 lets them name. */
  cibaCore: {
    ...keyClient('ES256'),
    client_id: 'ciba-core',
    client_assertion_audience: 'ciba-core',
  },
  /** With a secret, and a key for its hint tokens. */
  hintKey: {
    ...client('hint-key', 'client_secret_basic', 'ES256'),
    jwks: { keys: [publicKey('ES256')] },
  },
  /** Who is not told of unknown users, and wants to hear of failed flows. */
  quiet: {
    ...client('quiet', 'client_secret_basic', 'ES256'),
    unknown_user: 'decoy',
    failed_flow: 'deny',
  },
  /** Which may ask a user no more often than in a deployment. */
  limited: {
    ...client('limited', 'client_secret_basic', 'ES256'),
    notification_policy: 'standard',
  },
  /** Another one of that kind. */
  alsoLimited: {
    ...client('also-limited', 'client_secret_basic', 'ES256'),
    notification_policy: 'standard',
  },
  /** The same, and not told of unknown users. */
  limitedQuiet: {
    ...client('limited-quiet', 'client_secret_basic', 'ES256'),
    notification_policy: 'standard',
    unknown_user: 'decoy',
  },
  /** Whose requests go by another flow. */
  genericMail: {
    ...client('generic-mail', 'client_secret_basic', 'ES256'),
    flow_policy: 'generic-mail',
  },
  /** Whose users type the binding message as a code. */
  coded: {
    ...client('coded', 'client_secret_basic', 'ES256'),
    confirmation_level: 'code',
  },
  /** Without the refresh grant. */
  cibaOnly: {
    ...client('ciba-only', 'client_secret_basic', 'ES256'),
    grant_types: ['urn:openid:params:grant-type:ciba'],
  },
  /** Registered like the first, and not the owner of its requests. */
  other: client('other', 'client_secret_basic', 'RS256'),
  /** With a name in other scripts, and characters that HTML gives a meaning. */
  unicode: {
    ...client('unicode', 'client_secret_basic', 'ES256'),
    client_name: "“Größe & Söhne” L'Été 給油所",
  },
  /** With a logo, which is one red pixel. */
  branded: {
    ...client('branded', 'client_secret_basic', 'ES256'),
    logo_uri:
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  },
  /** Who waits long between polls, and says nothing of the lifetime. */
  unhurried: { ...client('unhurried', 'client_secret_basic', 'ES256'), interval: 60 },
  /** Registered as {@link importedRegistration} has it. */
  imported: { ...keyClient('EdDSA'), client_id: 'imported' },
  /** Whose registration changes while the suite runs. */
  changing: client('changing', 'client_secret_basic', 'RS256'),
};

/**
 * A registration that was written for other providers as well: members and keys that mean nothing
 * here, and EdDSA's new name.
 */
const importedRegistration = {
  ...clients.imported,
  token_endpoint_auth_signing_alg: 'Ed25519',
  jwks: {
    expires_at: 1_900_000_000,
    keys: [
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA', kid: 'later' },
      { ...publicKey('ES256'), use: 'enc', kid: 'for-encryption' },
      { ...publicKey('EdDSA'), alg: 'Ed25519', ext: true, key_ops: ['verify'] },
    ],
  },
  'client_name#de': 'Eingeführt',
  response_types: [],
  redirect_uris: [],
  subject_type: 'public',
  application_type: 'web',
  contacts: ['ops@fuel.example'],
  backchannel_user_code_parameter: false,
  client_secret_expires_at: 0,
};

/** Registered for another grant only. */
const refreshOnly = {
  ...client('refresh-only', 'client_secret_basic', 'RS256'),
  grant_types: ['refresh_token'],
};

const disabledClient = { ...client('disabled', 'client_secret_basic', 'RS256'), enabled: false };

export const refusedClients = { refreshOnly, disabled: disabledClient };

function user(name: string, changes: object = {}) {
  return {
    sub: `u-${name}`,
    username: name,
    email: `${name}@example.com`,
    email_verified: true,
    name: `${name} Example`,
    locale: 'en',
    ...changes,
  };
}

export const users = {
  library: user('library', { name: "Zoë Łukasiewicz-O'Neil 王小明" }),
  polls: user('polls'),
  requests: user('requests'),
  mails: user('mails'),
  pages: user('pages'),
  codes: user('codes'),
  logos: user('logos'),
  races: user('races'),
  expiry: user('expiry'),
  inputs: user('inputs'),
  assertions: user('assertions'),
  hints: user('hints'),
  /** Whose subject is a client's id. */
  namesake: user('namesake', { sub: clients.es256.client_id }),
  /** Of the longest subject there can be (OpenID Connect Core 2), with what JSON escapes. */
  subject: user('subject', { sub: `u-"\\${'~'.repeat(251)}` }),
  refresh: user('refresh'),
  rotation: user('rotation'),
  /** Who are asked too often. */
  limited: user('limited'),
  limitedQuiet: user('limited-quiet'),
  denying: user('denying'),
  waitedFor: user('waited-for'),
  flows: user('flows'),
  /** Whose requests are looked up. */
  audit: user('audit'),
  /**
   * Whose mails SES's simulator sends back, complains of, or does not send. The labels are this
   * suite's own.
   */
  bouncing: user('bouncing', { email: 'bounce+ciba@simulator.amazonses.com' }),
  complaining: user('complaining', { email: 'complaint+ciba@simulator.amazonses.com' }),
  suppressed: user('suppressed', { email: 'suppressionlist+ciba@simulator.amazonses.com' }),
  /** Whose names have letters of both cases, and whose language has more than a region. */
  written: user('Written.Name', { email: 'Mixed.Case@example.com', locale: 'de-DE-1996-x-desk' }),
  /** Whose entry changes while the suite runs. */
  changing: user('changing'),
  /** Who read other languages; of two of them there is no mail in just this one. */
  german: user('german', { locale: 'de' }),
  spanish: user('spanish', { locale: 'es' }),
  french: user('french', { locale: 'fr' }),
  japanese: user('japanese', { locale: 'ja' }),
  canadian: user('canadian', { locale: 'fr-CA' }),
  italian: user('italian', { locale: 'it' }),
};

export const refusedUsers = {
  disabled: user('switched-off', { enabled: false }),
  unverified: user('unverified', { email_verified: false }),
};

/** The directory file of the suite. */
export const directory = {
  clients: [
    ...Object.values(clients).filter(({ client_id }) => client_id !== clients.imported.client_id),
    importedRegistration,
    ...Object.values(refusedClients),
  ],
  users: [...Object.values(users), ...Object.values(refusedUsers)],
};

/** The same with other addresses for everybody whose mails come back. */
export const directoryElsewhere = {
  ...directory,
  users: directory.users.map((entry) => ({
    ...entry,
    email: entry.email.replace('@simulator.amazonses.com', '.elsewhere@example.com'),
  })),
};
