/**
 * What a person is told: the example directory is one that can be applied, and the commands fit it.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeLocalHost } from '../../../lib/local/describe-local-host.ts';
import {
  parseDirectory,
  readDirectoryFile,
} from '../../../lib/operator/directory/directory-file.ts';

const addresses = {
  issuer: 'http://localhost:4010',
  inbox: 'http://localhost:4011',
  control: 'http://localhost:4012',
  ca: undefined,
  seed: 'directory.json',
  demo: 'http://localhost:4013',
  stackName: 'CibaProvider',
};
const exampleFile = fileURLToPath(
  new URL('../../../lib/local/example-directory.json', import.meta.url),
);
const user = { sub: 'u', username: 'ursula', email: 'u@example.com', email_verified: true };
const pump = {
  client_id: 'pump-1',
  client_secret: 'a-secret-of-32-characters-or-more',
  client_name: 'Pump',
  token_endpoint_auth_method: 'client_secret_basic',
};

describe('describeLocalHost', () => {
  test('names every address, and who of the example directory can do what', async () => {
    const directory = await readDirectoryFile(exampleFile);
    expect(directory.clients[0]?.logo_uri).toMatch(/^data:image\/png;base64,/);
    const text = describeLocalHost({ ...addresses, directory, generatedSecrets: [] });
    for (const address of [addresses.issuer, addresses.inbox, addresses.control]) {
      expect(text).toContain(address);
    }
    expect(text).toContain('pump-4, desk-1');
    expect(text).toContain('alice, bob, carol (disabled), dave (address not verified)');
    expect(text).toContain('-u pump-4:example-secret-of-pump-4-for-localhost-only');
  });

  test('names the demo before anything else, and does not if there is none', () => {
    const directory = parseDirectory({ clients: [], users: [] });
    const describeWith = (demo: string | undefined) =>
      describeLocalHost({ ...addresses, demo, directory, generatedSecrets: [] });
    const [address] = describeWith('http://localhost:4013').match(/http:\S+/) ?? [];
    expect(address).toBe('http://localhost:4013');
    expect(describeWith(undefined)).not.toContain('petrol pump');
  });

  test('P50: says how to trust the CA of an https issuer, in a line to copy and in each command', () => {
    const text = describeLocalHost({
      ...addresses,
      issuer: 'https://localhost:4010',
      ca: "/tmp/o'hara ca/ca.pem",
      directory: parseDirectory({ clients: [pump], users: [user] }),
      generatedSecrets: [],
    });
    const quoted = String.raw`'/tmp/o'\''hara ca/ca.pem'`;
    expect(text.split('\n').map((line) => line.trim())).toContain(`NODE_EXTRA_CA_CERTS=${quoted}`);
    expect(text.split(`curl -s --cacert ${quoted} https://localhost:4010/`)).toHaveLength(3);
    expect(text).toContain(`NODE_EXTRA_CA_CERTS=${quoted} AWS_ENDPOINT_URL=`);
  });

  test('P50: says nothing of a CA where the issuer is http', async () => {
    const directory = await readDirectoryFile(exampleFile);
    const text = describeLocalHost({ ...addresses, directory, generatedSecrets: [] });
    expect(text).not.toMatch(/\bCA\b|cacert|https/i);
  });

  test("shows how the operator's command line reaches it, and names the stack if it must", () => {
    const describeStack = (stackName: string) =>
      describeLocalHost({
        ...addresses,
        stackName,
        directory: parseDirectory({ clients: [], users: [] }),
        generatedSecrets: [],
      });
    expect(describeStack('CibaProvider')).toContain(
      `   AWS_ENDPOINT_URL=${addresses.control} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1 \\
     npm run -s ciba -- doctor\n`,
    );
    expect(describeStack('Approvals')).toContain('npm run -s ciba -- --stack Approvals doctor\n');
  });

  test('quotes a secret for the shell, and encodes it for Basic (RFC 6749, 2.3.1)', () => {
    const secret = "it's a secret: with everything & 100%";
    const client = { client_id: 'c', client_secret: secret, client_name: 'C' };
    const describeWith = (token_endpoint_auth_method: string) =>
      describeLocalHost({
        ...addresses,
        directory: parseDirectory({
          clients: [{ ...client, token_endpoint_auth_method }],
          users: [user],
        }),
        generatedSecrets: [],
      });
    expect(describeWith('client_secret_basic')).toContain(
      "-u 'c:it'\\''s%20a%20secret%3A%20with%20everything%20%26%20100%25'",
    );
    expect(describeWith('client_secret_post')).toContain(
      "--data-urlencode 'client_secret=it'\\''s a secret: with everything & 100%'",
    );
  });

  test('shows a secret that was made, once, and uses it', () => {
    const directory = parseDirectory({
      clients: [
        { client_id: 'c', client_name: 'C', token_endpoint_auth_method: 'client_secret_basic' },
      ],
      users: [user],
    });
    const generatedSecrets = [{ client_id: 'c', client_secret: 'made' }];
    const text = describeLocalHost({ ...addresses, directory, generatedSecrets });
    expect(text).toContain('Secret of c, shown this once: made');
    expect(text).toContain('-u c:made');
  });

  test('has no commands to try with a client that signs its requests', () => {
    const directory = parseDirectory({
      clients: [
        { client_id: 'c', client_name: 'C', token_endpoint_auth_method: 'client_secret_jwt' },
      ],
      users: [user],
    });
    const generatedSecrets = [{ client_id: 'c', client_secret: 'made' }];
    const text = describeLocalHost({ ...addresses, directory, generatedSecrets });
    expect(text).not.toContain('curl');
  });

  test('has no commands to try without a user who can approve', () => {
    const directory = parseDirectory({ clients: [], users: [{ ...user, email_verified: false }] });
    expect(describeLocalHost({ ...addresses, directory, generatedSecrets: [] })).not.toContain(
      'curl',
    );
  });
});
