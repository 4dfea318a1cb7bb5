/** `bin/ciba.ts` as a process, on a local host as on an account: what it writes is what the provider's functions read. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SynthesizedHost, startSynthesizedHost } from '../../support/synthesized-host.ts';

const projectFolder = fileURLToPath(new URL('../../..', import.meta.url));
const started: ChildProcess[] = [];

let host: SynthesizedHost;
let folder: string;
beforeAll(async () => {
  host = await startSynthesizedHost();
  folder = await mkdtemp(join(tmpdir(), 'ciba-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => host?.stop());

async function ciba(argv: string[], piped = '') {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/ciba.ts', ...argv], {
    cwd: projectFolder,
    env: { ...process.env, AWS_ENDPOINT_URL: host.control },
  });
  started.push(child);
  child.stdin.end(piped);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode, stdout, stderr };
}

/** Whether the token endpoint takes this secret, whatever it says of the rest. */
async function isAccepted(secret: string): Promise<boolean> {
  const answer = await fetch(`${host.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`pump-4:${encodeURIComponent(secret)}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'urn:openid:params:grant-type:ciba',
      auth_req_id: 'unknown',
    }),
  });
  return answer.status === 400;
}

/** Functions remember clients for ten seconds; the rotation of keys starts them anew. */
async function forgetClients(): Promise<void> {
  const { status } = await fetch(`${host.control}/rotate-keys`, { method: 'POST' });
  expect(status).toBe(200);
}

const yaml = `
clients:
  - client_id: pump-4
    client_name: Pump 4
    token_endpoint_auth_method: client_secret_basic
users:
  - { sub: u-alice, username: alice, email: alice@example.com, email_verified: true }
`;

describe('ciba, as a process', () => {
  it('applies a file, rotates a secret so that both live, and is refused the file with the old one', async () => {
    const path = join(folder, 'directory.yaml');
    await writeFile(path, yaml);
    const applied = await ciba(['apply', '-f', path, '--yes', '--json']);
    expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
    const [{ client_secret: first }] = JSON.parse(applied.stdout).generated_secrets;
    expect(await isAccepted(first)).toBe(true);

    const second = 'another secret of thirty-two characters or more';
    const rotated = await ciba(
      ['client', 'rotate-secret', 'pump-4', '--secret-stdin'],
      `${second}\n`,
    );
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    await forgetClients();
    expect([await isAccepted(first), await isAccepted(second), await isAccepted('no')]).toEqual([
      true,
      true,
      false,
    ]);

    await writeFile(path, yaml.replace('client_name', `client_secret: ${first}\n    client_name`));
    const refused = await ciba(['apply', '-f', path, '--yes']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('is the one before the last rotation');
    await forgetClients();
    expect(await isAccepted(second)).toBe(true);
  });

  it('imports users, and ends with 1 for a rejected row', async () => {
    const path = join(folder, 'users.csv');
    await writeFile(path, 'sub,username\nu-1,one\nu-2,t w o\n');
    const { exitCode, stdout, stderr } = await ciba(['user', 'import', path]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 added, 0 changed, 0 unchanged, 1 rejected.');
    expect(stderr).toContain(join(folder, 'users.rejected.csv'));
  });

  it('ends with 2 and one line for a file that cannot be read', async () => {
    expect(await ciba(['apply', '-f', '/nowhere.yaml'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^\/nowhere\.yaml: cannot be read \(.*\)\n$/),
    });
  });
});
