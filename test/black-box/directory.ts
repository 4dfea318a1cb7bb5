/**
 * The clients and users of the black-box suite. Each file of cases has a user of its own, so that files run side by side.
 */

/** A client and the secret it presents. */
export interface TestClient {
  client_id: string;
  client_secret: string;
  client_name: string;
  token_endpoint_auth_method: 'client_secret_basic' | 'client_secret_post';
  id_token_signed_response_alg: 'RS256' | 'ES256';
}

function client(
  name: string,
  method: TestClient['token_endpoint_auth_method'],
  alg: TestClient['id_token_signed_response_alg'],
) {
  return {
    client_id: name,
    // Characters that form-encoding changes, as RFC 6749 2.3.1 wants them sent.
    client_secret: `${name}: a secret + 100% of & for = tests`,
    client_name: `Fuel & Go, ${name}`,
    token_endpoint_auth_method: method,
    id_token_signed_response_alg: alg,
    scope: 'openid profile email offline_access payments:read',
  } satisfies TestClient & { scope: string };
}

export const clients = {
  basic: client('basic-rs256', 'client_secret_basic', 'RS256'),
  basicEs256: client('basic-es256', 'client_secret_basic', 'ES256'),
  post: client('post-rs256', 'client_secret_post', 'RS256'),
  postEs256: client('post-es256', 'client_secret_post', 'ES256'),
  /** Registered like the first, and not the owner of its requests. */
  other: client('other', 'client_secret_basic', 'RS256'),
  /** With a name in other scripts, and characters that HTML gives a meaning. */
  unicode: {
    ...client('unicode', 'client_secret_basic', 'ES256'),
    client_name: "“Größe & Söhne” L'Été 給油所",
  },
  /** Whose registration changes while the suite runs. */
  changing: client('changing', 'client_secret_basic', 'RS256'),
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
  races: user('races'),
  expiry: user('expiry'),
  inputs: user('inputs'),
  /** Whose entry changes while the suite runs. */
  changing: user('changing'),
};

export const refusedUsers = {
  disabled: user('switched-off', { enabled: false }),
  unverified: user('unverified', { email_verified: false }),
};

/** The directory file of the suite. */
export const directory = {
  clients: [...Object.values(clients), ...Object.values(refusedClients)],
  users: [...Object.values(users), ...Object.values(refusedUsers)],
};
