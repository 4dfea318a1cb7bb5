/**
 * The directory file: nothing twice, whatever its spelling, and nothing that nobody knows (threats
 * T29).
 */
import { describe, expect, it } from 'vitest';
import { logins } from '../../../../../lambdas/ciba/user/login.ts';
import { directoryFile } from '../../../../../lib/operator/directory/registration/directory.ts';

const client = (client_id: string) => ({
  client_id,
  client_name: 'Pump',
  token_endpoint_auth_method: 'client_secret_basic',
});

const user = (sub: string, username: string, email?: string) => ({
  sub,
  username,
  ...(email !== undefined && { email }),
});

/** Where a directory is at fault and how, each as `clients.1: what`. */
function faults(directory: unknown): string[] {
  const { error } = directoryFile.safeParse(directory);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the directory file', () => {
  it('may be empty, or have one list alone', () => {
    expect(directoryFile.parse({})).toEqual({ clients: [], users: [] });
    expect(directoryFile.parse({ users: [] })).toEqual({ clients: [], users: [] });
  });

  it('takes clients and users that differ', () => {
    const clients = [client('pump-4'), client('PUMP-4'), client('pump-5')];
    const users = [
      user('u-1', 'alice', 'alice@example.com'),
      user('U-1', 'bob', 'bob@example.com'),
      user('u-2', 'carol'),
    ];
    expect(faults({ clients, users })).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'two clients of one id',
      { clients: [client('pump-4'), client('desk-1'), client('pump-4')] },
      'clients.2: has the same client_id as entry 1',
    ],
    [
      'two users of one subject',
      { users: [user('u-1', 'alice'), user('u-1', 'bob')] },
      'users.1: has the same sub as entry 1',
    ],
    [
      'two users of one name',
      { users: [user('u-1', 'alice'), user('u-2', 'alice')] },
      'users.1: has the same username or email as entry 1',
    ],
    [
      'two names in different case',
      { users: [user('u-1', 'Alice'), user('u-2', 'aLICE')] },
      'users.1: has the same username or email as entry 1',
    ],
    [
      'two names in different width',
      { users: [user('u-1', 'alice'), user('u-2', 'ａｌｉｃｅ')] },
      'users.1: has the same username or email as entry 1',
    ],
    [
      'two names, composed and decomposed',
      { users: [user('u-1', 'j\u00f6rg'), user('u-2', 'jo\u0308rg')] },
      'users.1: has the same username or email as entry 1',
    ],
    [
      'one address in different case',
      { users: [user('u-1', 'a', 'Al@Example.com'), user('u-2', 'b', 'al@example.COM')] },
      'users.1: has the same username or email as entry 1',
    ],
    [
      'one address, its domain in Unicode and in ASCII (IDNA)',
      {
        users: [
          user('u-1', 'a', 'al@bücher.example'),
          user('u-2', 'b', 'al@xn--bcher-kva.example'),
        ],
      },
      'users.1: has the same username or email as entry 1',
    ],
  ])('T29: refuses %s', (_what, directory, fault) => {
    expect(faults(directory)).toEqual([fault]);
  });

  it('names every one of three that are the same', () => {
    expect(faults({ clients: [client('a'), client('a'), client('a')] })).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['a member that nobody knows', { client: [] }],
    ['a list that is none', { clients: {} }],
    ['null for a list', { users: null }],
    ['a list', []],
    ['a text', 'clients'],
    ['null', null],
  ])('refuses %s', (_what, directory) => {
    expect(directoryFile.safeParse(directory).success).toBe(false);
  });
});

it('a user can be found by name and address in normal form, and by the name alone without one', () => {
  expect(logins({ username: 'Alice', email: 'Alice@Example.com' })).toEqual([
    'alice',
    'alice@example.com',
  ]);
  expect(logins({ username: 'Alice' })).toEqual(['alice']);
});
