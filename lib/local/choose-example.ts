/**
 * Who of a directory can play in examples: a client that authenticates with its secret as it is,
 * and users who can approve.
 */
import type { Directory } from '../operator/directory/directory-file.ts';

/** A client that asks, and the names of users who can be asked. */
export interface Example {
  client: {
    client_id: string;
    client_name: string;
    client_secret: string;
    token_endpoint_auth_method: 'client_secret_basic' | 'client_secret_post';
  };
  usernames: [string, ...string[]];
  /** Of these users, by their names. */
  subjects: ReadonlyMap<string, string>;
}

/** The first such client and all such users; undefined if either is missing. */
export function chooseExample(
  { clients, users }: Directory,
  generatedSecrets: { client_id: string; client_secret: string }[],
): Example | undefined {
  const reachable = users.filter(({ enabled, email_verified }) => enabled && email_verified);
  const [username, ...others] = reachable.map((user) => user.username);
  if (username === undefined) return undefined;
  for (const { client_id, client_name, enabled, ...registration } of clients) {
    const method = registration.token_endpoint_auth_method;
    const client_secret =
      registration.client_secret ??
      generatedSecrets.find((generated) => generated.client_id === client_id)?.client_secret;
    if (!enabled || client_secret === undefined) continue;
    if (method !== 'client_secret_basic' && method !== 'client_secret_post') continue;
    return {
      client: { client_id, client_name, client_secret, token_endpoint_auth_method: method },
      usernames: [username, ...others],
      subjects: new Map(reachable.map((user) => [user.username, user.sub])),
    };
  }
  return undefined;
}
