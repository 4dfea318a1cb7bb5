/**
 * What an operator is told about a directory file that cannot be applied: every fault, with entry and member.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDirectory, readDirectoryFile } from '../../../lib/operator/directory-file.ts';

const client = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};
const user = { sub: 'u-alice', username: 'alice' };

describe('parseDirectory', () => {
  it('fills in the defaults: ids, names and the authentication method are enough', () => {
    expect(parseDirectory({ clients: [client], users: [user] })).toEqual({
      clients: [
        {
          ...client,
          enabled: true,
          grant_types: ['urn:openid:params:grant-type:ciba'],
          backchannel_token_delivery_mode: 'poll',
          scope: 'openid profile email',
          id_token_signed_response_alg: 'RS256',
          client_assertion_audience: 'issuer',
          unknown_user: 'reveal',
          failed_flow: 'expire',
        },
      ],
      users: [{ ...user, email_verified: false, enabled: true }],
    });
  });

  it.each<[string, object, string]>([
    ['a missing member', { client_id: 'pump-4' }, 'clients[0] (pump-4) client_name: is missing'],
    [
      'none as authentication method',
      { ...client, token_endpoint_auth_method: 'none' },
      'clients[0] (pump-4) token_endpoint_auth_method: allowed: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt',
    ],
    [
      'ping (T19)',
      { ...client, backchannel_token_delivery_mode: 'ping' },
      'clients[0] (pump-4) backchannel_token_delivery_mode: allowed: poll',
    ],
    [
      'jwks_uri (T18)',
      { ...client, jwks_uri: 'https://x' },
      'clients[0] (pump-4): unknown member jwks_uri',
    ],
    [
      'a short secret',
      { ...client, client_secret: 'short' },
      'clients[0] (pump-4) client_secret: must be 32 to 128 printable ASCII characters; leave it out to have one generated',
    ],
    [
      'an interval out of bounds',
      { ...client, interval: 0 },
      'clients[0] (pump-4) interval: must be a whole number of seconds from 1 to 60',
    ],
  ])('names %s', (_fault, entry, message) => {
    expect(() => parseDirectory({ clients: [entry] })).toThrow(message);
  });

  it('tells every fault at once', () => {
    const faults = {
      clients: [{ ...client, interval: 0 }],
      users: [{ ...user, email: 'a,b@c.de' }],
    };
    expect(() => parseDirectory(faults)).toThrow(
      /^clients\[0\] \(pump-4\) interval: .*\nusers\[0\] \(u-alice\) email: must be one e-mail address/,
    );
  });

  it.each<[string, unknown, string]>([
    ['a list that is none', { clients: {} }, 'clients: must be a list'],
    ['a member nobody knows', { client: [] }, 'directory: unknown member client'],
    ['no object', [], 'directory: '],
  ])('names %s', (_fault, value, message) => {
    expect(() => parseDirectory(value)).toThrow(message);
  });

  it('names two users with one address, whatever its case', () => {
    const users = [
      { ...user, email: 'Alice@Example.com' },
      { sub: 'u-al', username: 'al', email: 'alice@example.COM' },
    ];
    expect(() => parseDirectory({ users })).toThrow(
      'users[1] (u-al): has the same username or email as entry 1',
    );
  });
});

describe('readDirectoryFile', () => {
  it('names the file that is not JSON, or not there', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'directory-')), 'directory.json');
    await expect(readDirectoryFile(path)).rejects.toThrow(`${path}: cannot be read`);
    await writeFile(path, '{');
    await expect(readDirectoryFile(path)).rejects.toThrow(`${path}: is not JSON`);
    await writeFile(path, '{"clients":[{}]}');
    await expect(readDirectoryFile(path)).rejects.toThrow(
      `${path}:\nclients[0] client_id: is missing`,
    );
  });
});
