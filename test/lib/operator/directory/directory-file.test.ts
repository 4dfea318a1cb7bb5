/**
 * What an operator is told about a directory file that cannot be applied: every fault, with entry
 * and member.
 */

import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  parseDirectory,
  readDirectoryFile,
  readDirectoryFiles,
} from '../../../../lib/operator/directory/directory-file.ts';
import { assertPolicies } from '../../../../lib/operator/directory/show-policies.ts';
import { usageError } from '../../../../lib/operator/terminal/operator-error.ts';
import { logoUri, quarters } from '../../../support/example-images.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';

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
          confirmation_level: 'link',
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
      'clients[0] (pump-4) jwks_uri: must be left out: nothing is fetched for a client; allowed: jwks',
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

  it('P26: tells what is registered elsewhere from what nobody knows, each on a line', () => {
    const entry = { ...client, subject_type: 'pairwise', client_nmae: 'x', 'scope#de': 'x' };
    expect(() => parseDirectory({ clients: [entry] })).toThrow(
      usageError(
        [
          'clients[0] (pump-4) subject_type: allowed: "public"',
          'clients[0] (pump-4): unknown member client_nmae',
          'clients[0] (pump-4): unknown member scope#de',
        ].join('\n'),
      ),
    );
  });

  it('P11: names a key that is no point of its curve by its place, whatever is skipped before it', () => {
    const { jwk } = generateClientKey('ES256', { kid: 'k1' });
    const beside = { ...jwk, kid: 'k2', y: Buffer.alloc(32, 7).toString('base64url') };
    const jwks = { keys: [{ kty: 'AKP' }, jwk, { ...jwk, use: 'enc' }, beside] };
    expect(() => parseDirectory({ clients: [{ ...client, jwks }] })).toThrow(
      'clients[0] (pump-4) jwks.keys.3: is no key of its type',
    );
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

async function fileOf(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'directory-')), name);
  await writeFile(path, text);
  return path;
}

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

  it('reads YAML as it reads JSON, with a byte order mark or without', async () => {
    const yaml = `# who may ask
clients:
  - client_id: pump-4
    client_name: "Fuel & Go, Pump 4"
    token_endpoint_auth_method: client_secret_basic
users:
  - { sub: u-alice, username: alice }
`;
    const json = JSON.stringify({ clients: [client], users: [user] });
    const expected = parseDirectory({ clients: [client], users: [user] });
    expect(await readDirectoryFile(await fileOf('d.yaml', yaml))).toEqual(expected);
    expect(await readDirectoryFile(await fileOf('d.YML', `\ufeff${yaml}`))).toEqual(expected);
    expect(await readDirectoryFile(await fileOf('d.json', `\ufeff${json}`))).toEqual(expected);
  });

  it.each<[string, string, string, string]>([
    [
      'bad indentation in YAML',
      'd.yaml',
      'users:\n - sub: a\n   username: [b',
      'line 3, column 16',
    ],
    [
      'a member twice in YAML',
      'd.yaml',
      'users:\n - sub: a\n   sub: b\n',
      'is not YAML (Map keys must be unique at line 3, column 4)',
    ],
    [
      'a member twice in JSON',
      'd.json',
      '{"users":[\n{"sub":"a",\n "sub":"b"}]}',
      'member sub is there twice, again at line 3, column 2',
    ],
    ['two documents', 'd.yaml', 'users: []\n---\nusers: []\n', 'at line 2, column 1'],
    ['an alias of nothing', 'd.yaml', 'users: *them', 'is not YAML'],
    ['a name that is no text', 'd.yaml', '? [a]\n: b', 'is not YAML'],
    ['a tag nobody knows', 'd.yaml', 'users: !them []', 'is not YAML'],
    ['nothing at all', 'd.yaml', '', 'directory: '],
  ])('names %s', async (_fault, name, text, message) => {
    const path = await fileOf(name, text);
    const error = await readDirectoryFile(path).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: 'OperatorError', code: 'usage' });
    expect(String(error)).toContain(path);
    expect(String(error)).toContain(message);
  });

  it('shows no line of a file that cannot be read: a secret may stand in it', async () => {
    const secret = 'a-secret-of-forty-characters-or-so-here';
    const path = await fileOf(
      'd.yaml',
      `clients:\n - client_secret: ${secret}\n   client_secret: b`,
    );
    const error = await readDirectoryFile(path).catch((fault: unknown) => String(fault));
    expect(error).not.toContain(secret);
  });

  it('refuses aliases that grow without end', async () => {
    const lists = Array.from({ length: 12 }, (_, depth) =>
      depth === 0 ? 'a0: &a0 [x]' : `a${depth}: &a${depth} [${`*a${depth - 1},`.repeat(12)}]`,
    );
    await expect(readDirectoryFile(await fileOf('d.yaml', lists.join('\n')))).rejects.toThrow(
      'is not YAML (Excessive alias count',
    );
  });

  it('refuses a file that is not UTF-8', async () => {
    const path = await fileOf('d.json', Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]));
    await expect(readDirectoryFile(path)).rejects.toThrow(`${path}: is not UTF-8`);
  });
});

describe('T31: a logo that a file names by its path', () => {
  async function filesWith(logo_uri: unknown, images: Record<string, Uint8Array> = {}) {
    const path = await fileOf('d.json', JSON.stringify({ clients: [{ ...client, logo_uri }] }));
    await mkdir(join(dirname(path), 'logos'));
    for (const [name, bytes] of Object.entries(images)) {
      await writeFile(join(dirname(path), name), bytes);
    }
    return path;
  }

  const refusal = async (...files: Parameters<typeof filesWith>) => {
    const path = await filesWith(...files);
    const error = await readDirectoryFile(path).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: 'OperatorError', code: 'usage' });
    return String(error).replaceAll(`${dirname(path)}/`, '');
  };

  it.each([
    ['beside it', 'pump.png', quarters.png],
    ['in a folder', './logos/pump.jpg', quarters.jpeg],
    ['in another folder', 'logos/../pump.gif', quarters.gif],
    ['with the name of another type', 'pump.png', quarters.gif],
    ['without any', 'pump', quarters.png],
  ])('is read from %s, and what it is says its content', async (_where, name, bytes) => {
    const { clients } = await readDirectoryFile(await filesWith(name, { [name]: bytes }));
    expect(clients[0]?.logo_uri).toBe(logoUri(bytes));
    expect(clients[0]?.client_id).toBe(client.client_id);
  });

  it('is taken as it is where it is no path', async () => {
    const path = await filesWith(logoUri(quarters.png));
    expect((await readDirectoryFile(path)).clients[0]?.logo_uri).toBe(logoUri(quarters.png));
  });

  it('is named if it is not there, no image of a known type, or too large', async () => {
    const where = 'd.json:\nclients[0] (pump-4) logo_uri: ';
    expect(await refusal('pump.png')).toContain(`${where}pump.png: cannot be read`);
    expect(await refusal('logos')).toContain(`${where}logos: cannot be read`);
    const svg = Buffer.from('<svg onload="x()" xmlns="http://www.w3.org/2000/svg"/>');
    expect(await refusal('pump.png', { 'pump.png': svg })).toContain(
      `${where}pump.png: is no PNG, JPEG or GIF`,
    );
    const large = Buffer.concat([
      quarters.png,
      Buffer.alloc(1024 * 1024 + 1 - quarters.png.length),
    ]);
    expect(await refusal('pump.png', { 'pump.png': large })).toContain(
      `${where}pump.png: has 1048577 bytes; allowed: 1048576 (1 MB)`,
    );
  });

  it.each([
    'https://client.example/logo.png',
    'http://169.254.169.254/latest/meta-data',
    '//client.example/logo.png',
    'file:///etc/hostname',
    '/etc/hostname',
    'data:image/svg+xml,<svg/>',
    '',
    4,
  ])('is never fetched, nor read from anywhere else: %j', async (uri) => {
    expect(await refusal(uri)).toMatch(
      /clients\[0\] \(pump-4\) logo_uri: must be a (?:PNG, |text)/,
    );
  });

  it('is told beside every other fault', async () => {
    const clients = [
      { ...client, logo_uri: 'none.png', interval: 0 },
      { client_id: 'desk-1', logo_uri: 'none.gif' },
    ];
    const path = await fileOf('d.json', JSON.stringify({ clients }));
    const error = await readDirectoryFile(path).catch((fault: unknown) => String(fault));
    for (const fault of [
      /clients\[0\] \(pump-4\) logo_uri: .*none\.png: cannot be read/,
      /clients\[0\] \(pump-4\) interval: /,
      /clients\[1\] \(desk-1\) logo_uri: .*none\.gif: cannot be read/,
      /clients\[1\] \(desk-1\) client_name: /,
    ]) {
      expect(error).toMatch(fault);
    }
  });
});

describe('readDirectoryFiles', () => {
  it('makes one directory of several files', async () => {
    const paths = [
      await fileOf('clients.json', JSON.stringify({ clients: [client] })),
      await fileOf('users.yaml', 'users: [{ sub: u-alice, username: alice }]'),
    ];
    expect(await readDirectoryFiles(paths)).toEqual({
      ...parseDirectory({ clients: [client], users: [user] }),
      kinds: ['client', 'user'],
    });
  });

  it('P11, P26: takes notice of what is left out, by file, entry and place', async () => {
    const { jwk } = generateClientKey('ES256', { kid: 'k1' });
    const jwks = {
      keys: [
        { ...jwk, use: 'enc' },
        { ...jwk, ext: true },
      ],
    };
    const full = { ...client, contacts: ['a@b.example'], jwks, subject_type: 'public' };
    const path = await fileOf('one.json', JSON.stringify({ clients: [full] }));
    const notices: string[] = [];
    const read = await readDirectoryFiles([path], (notice) => notices.push(notice));
    expect(read.clients).toEqual([
      { ...parseDirectory({ clients: [client] }).clients[0], jwks: { keys: [jwk] } },
    ]);
    expect(notices).toEqual([
      `${path}: clients[0] (pump-4) contacts: is not kept`,
      `${path}: clients[0] (pump-4) jwks.keys.0: is skipped (use enc)`,
    ]);
  });

  it('names both files of an entry, or of a login, that is in two', async () => {
    const one = await fileOf('one.json', JSON.stringify({ clients: [client], users: [user] }));
    const other = await fileOf(
      'other.json',
      JSON.stringify({ clients: [client], users: [{ sub: 'u-al', username: 'ALICE' }] }),
    );
    await expect(readDirectoryFiles([one, other])).rejects.toThrow(
      `client pump-4: is in ${one} and in ${other}\nlogin alice: is in ${one} and in ${other}`,
    );
  });
});

describe('the policies that clients name', () => {
  it.each(['9quiet', 'Quiet', 'quiet_', '', 'q'.repeat(65)])('cannot be called %j', (name) => {
    expect(() => parseDirectory({ clients: [{ ...client, flow_policy: name }] })).toThrow(
      'clients[0] (pump-4) flow_policy: must be 1 to 64 of a-z 0-9 -, a letter first',
    );
  });

  const outputs = { NotificationPolicies: '{"quiet":{},"loud":{}}', FlowPolicies: '{}' };
  const naming = (members: object) =>
    parseDirectory({ clients: [{ ...client, ...members }] }).clients;

  it('must be policies of the deployment', () => {
    const clients = naming({ notification_policy: 'shrill', flow_policy: 'slow' });
    expect(() => assertPolicies(clients, outputs)).toThrow(
      'client pump-4 notification_policy: shrill is no policy of this deployment; allowed: quiet, loud\nclient pump-4 flow_policy: slow is no policy of this deployment; allowed: none',
    );
    assertPolicies(naming({ notification_policy: 'quiet' }), outputs);
    assertPolicies(naming({}), outputs);
  });

  it('are not looked at where the deployment tells of none', () => {
    assertPolicies(naming({ notification_policy: 'shrill', flow_policy: 'slow' }), {});
  });

  it('cannot be judged by an output that is no JSON object', () => {
    expect(() => assertPolicies(naming({}), { FlowPolicies: '[' })).toThrow(
      "The stack's output FlowPolicies is no JSON object",
    );
  });
});
