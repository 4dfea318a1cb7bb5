/**
 * A client and a user as they are stored, and the directory ports over such entries in memory.
 */
import { CIBA_GRANT_TYPE, type Client } from '../../lambdas/ciba/client/client.ts';
import { logins } from '../../lambdas/ciba/user/login.ts';
import { isUndeliverable, type User } from '../../lambdas/ciba/user/user.ts';
import type {
  ClientDirectory,
  UndeliverableAddresses,
  UserDirectory,
} from '../../lambdas/ports.ts';
import { storedSecretOf } from './stored-secrets.ts';

export const exampleClientSecret = 'the secret of pump 4, of 32 characters';

export const exampleClient: Client = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  enabled: true,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: [CIBA_GRANT_TYPE],
  backchannel_token_delivery_mode: 'poll',
  scope: 'openid profile email',
  id_token_signed_response_alg: 'RS256',
  client_assertion_audience: 'issuer',
  unknown_user: 'reveal',
  failed_flow: 'expire',
  confirmation_level: 'link',
  ...storedSecretOf('pump-4', exampleClientSecret),
};

export const exampleUser: User = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Example',
  locale: 'en',
  enabled: true,
  contact_version: 1,
};

/** Clients and users that a test may change, and the look-ups that were made. */
export interface InMemoryDirectory {
  clients: Map<string, Client>;
  users: Map<string, User>;
  lookUps: string[];
  ports: { clients: ClientDirectory; users: UserDirectory; addresses: UndeliverableAddresses };
}

/** Holds the example client and user, and another client of the same kind. */
export function inMemoryDirectory(): InMemoryDirectory {
  const other = {
    ...exampleClient,
    client_id: 'desk-1',
    ...storedSecretOf('desk-1', exampleClientSecret),
  };
  const clients = new Map([exampleClient, other].map((client) => [client.client_id, client]));
  const users = new Map([[exampleUser.sub, exampleUser]]);
  const lookUps: string[] = [];
  const ports: InMemoryDirectory['ports'] = {
    clients: {
      async findClient(clientId, freshness) {
        lookUps.push(`client ${clientId} ${freshness}`);
        return clients.get(clientId);
      },
      async findClientSince(clientId) {
        lookUps.push(`client ${clientId} again`);
        return clients.get(clientId);
      },
    },
    users: {
      async findUser(sub) {
        lookUps.push(`user ${sub}`);
        return users.get(sub);
      },
      async findUserByLogin(login) {
        lookUps.push(`login ${login}`);
        return [...users.values()].find((user) => logins(user).includes(login));
      },
    },
    addresses: {
      async noteUndeliverable({ sub, contactVersion }, cause, at) {
        const user = users.get(sub);
        if (user?.email === undefined || user.contact_version !== contactVersion) return false;
        if (isUndeliverable(user)) return false;
        users.set(sub, { ...user, undeliverable: { email: user.email, cause, at } });
        return true;
      },
    },
  };
  return { clients, users, lookUps, ports };
}
