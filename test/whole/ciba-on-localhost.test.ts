/**
 * The operator's command line as a process, against a local host that runs the whole stack: as on
 * an account.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Environment, startCiba } from '../support/ciba-process.ts';
import { eventually } from '../support/eventually.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../support/synthesized-host.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

let host: SynthesizedHost;
let folder: string;
beforeAll(async () => {
  host = await startSynthesizedHost();
  folder = mkdtempSync(join(tmpdir(), 'ciba-'));
});
afterAll(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true });
});

function start(argv: string[], own?: Environment): ChildProcess {
  return startCiba(host.control, argv, own);
}

async function ciba(argv: string[], own?: Environment, piped = '') {
  const child = start(argv, own);
  child.stdin?.end(piped);
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (written.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (written.stderr += String(chunk)));
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  return { exitCode, ...written };
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

describe('ciba', () => {
  it('finds the deployment without an option, and prints one JSON value and nothing else', async () => {
    const { exitCode, stdout, stderr } = await ciba(['keys', 'list', '--json']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const statuses = JSON.parse(stdout).items.map(({ kind, status }: Record<string, string>) => [
      kind,
      status,
    ]);
    expect(statuses).toEqual([
      ['ES256', 'in use'],
      ['RS256', 'in use'],
      ['link', 'in use'],
      ['wrap', 'in use'],
    ]);
  });

  it('has new keys made by the function of the stack, and published', async () => {
    const { exitCode, stdout } = await ciba(['keys', 'rotate', '--yes', '--json']);
    expect(exitCode).toBe(0);
    const made: Record<string, string>[] = JSON.parse(stdout).items;
    expect(made.map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting', 'in use']);
    const { keys } = JSON.parse(await (await fetch(`${host.issuer}/jwks`)).text());
    expect(keys.map(({ kid }: { kid: string }) => kid)).toContain(made[0]?.['kid']);
  });

  it('finds the local host healthy, whatever of AWS it does not have', async () => {
    const { exitCode, stdout } = await ciba(['doctor', '--json']);
    const { items: findings } = JSON.parse(stdout);
    expect(findings).not.toContainEqual(expect.objectContaining({ verdict: 'fault' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'issuer', verdict: 'ok' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'keys', verdict: 'ok' }));
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'alarms', verdict: 'not here' }),
    );
    expect(exitCode).toBe(0);
  });

  it('lists the flows of the stack with their state machines', async () => {
    const { exitCode, stdout, stderr } = await ciba(['flow', 'list', '--json']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const { items }: { items: { flow: string; state_machine_arn: string }[] } = JSON.parse(stdout);
    expect(items.map(({ flow }) => flow)).toEqual(['ciba-flow', 'ciba-generic-mail-flow']);
    const arns = host.stack.stateMachines.map(({ arn }) => arn);
    expect(items.map(({ state_machine_arn: arn }) => arn).sort()).toEqual(arns.sort());
  });

  it('lists the templates, which SES has as the files have them', async () => {
    const { exitCode, stdout, stderr } = await ciba(['template', 'list', '--json']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).items).toEqual(
      ['ciba-with-binding-message', 'ciba-without-binding-message'].flatMap((name) =>
        ['de', 'en', 'es', 'fr', 'ja'].map((locale) => ({ name, locale, state: 'same' })),
      ),
    );
  });

  it('sends a test mail as the preview shows it, but for the link, which the issuer does not know', async () => {
    const template = ['ciba-with-binding-message', '--locale', 'fr-CA', '--json'];
    const sent = await ciba(['template', 'test', ...template, '--to', 'Operator@bank.example']);
    expect(sent).toEqual({
      exitCode: 0,
      stdout: '{"name":"ciba-with-binding-message","locale":"fr","to":"Operator@bank.example"}\n',
      stderr: '{"note":"There is no fr-CA: users of that locale get fr."}\n',
    });
    const { emails } = JSON.parse(await (await fetch(`${host.inbox}/store`)).text());
    const mail = emails.at(-1);
    expect(mail.destination.to).toEqual(['Operator@bank.example']);
    expect(mail.from).toBe('approvals@bank.example');
    const [link = ''] = mail.body.text.match(/https?:\S+/);
    expect(link).toMatch(new RegExp(`^${host.issuer}/approve/`));
    expect((await fetch(link)).status).toBe(404);

    const previewed = JSON.parse((await ciba(['template', 'preview', ...template])).stdout);
    const inPreview = (part: string) =>
      part.replaceAll(host.issuer, 'https://id.example.com').trim();
    expect(previewed.subject).toBe(mail.subject);
    expect(previewed.text.trim()).toBe(inPreview(mail.body.text));
    expect(previewed.html.trim()).toBe(inPreview(mail.body.html));
  });

  it('opens a preview in the browser', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ciba-browser-'));
    const opened = join(folder, 'opened');
    const browser = join(folder, 'browser');
    writeFileSync(
      browser,
      `#!/bin/sh\nprintf %s "$1" > ${opened}.part && mv ${opened}.part ${opened}\n`,
      {
        mode: 0o755,
      },
    );
    try {
      const argv = ['template', 'preview', 'ciba-without-binding-message', '--open'];
      const { exitCode, stderr } = await ciba(argv, { BROWSER: browser });
      expect([exitCode, stderr]).toEqual([
        0,
        'Opened build/preview-ciba-without-binding-message-en.html\n',
      ]);
      await eventually(() => expect(existsSync(opened)).toBe(true));
      const file = readFileSync(opened, 'utf8').replace('file://', '');
      expect(file).toBe(join(project, 'build/preview-ciba-without-binding-message-en.html'));
      expect(readFileSync(file, 'utf8')).toContain('<html lang="en">');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('applies a file, rotates a secret so that both live, and is refused the file with the old one', async () => {
    const path = join(folder, 'directory.yaml');
    writeFileSync(path, yaml);
    const applied = await ciba(['apply', '-f', path, '--yes', '--json']);
    expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
    const [{ client_secret: first }] = JSON.parse(applied.stdout).generated_secrets;
    expect(await isAccepted(first)).toBe(true);

    const second = 'another secret of thirty-two characters or more';
    const rotated = await ciba(
      ['client', 'rotate-secret', 'pump-4', '--secret-stdin', '--yes'],
      {},
      `${second}\n`,
    );
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    await forgetClients();
    expect([await isAccepted(first), await isAccepted(second), await isAccepted('no')]).toEqual([
      true,
      true,
      false,
    ]);

    writeFileSync(path, yaml.replace('client_name', `client_secret: ${first}\n    client_name`));
    const refused = await ciba(['apply', '-f', path, '--yes']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('is the one before the last rotation');
    await forgetClients();
    expect(await isAccepted(second)).toBe(true);
  });

  it('imports users, and ends with 1 for a rejected row', async () => {
    const path = join(folder, 'users.csv');
    writeFileSync(path, 'sub,username\nu-1,one\nu-2,t w o\n');
    const { exitCode, stdout, stderr } = await ciba(['user', 'import', path]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 added, 0 changed, 0 unchanged, 1 rejected.');
    expect(stderr).toContain(join(folder, 'users.rejected.csv'));
  });

  it.each<[string, string[], Environment, number, RegExp]>([
    [
      'a template that there is not, of the files',
      ['template', 'preview', 'greeting'],
      {},
      2,
      /^There is no template "greeting"; allowed: ciba-with-binding-message, ciba-without-binding-message$/,
    ],
    [
      'a template that there is not, of the deployment',
      ['template', 'test', 'constructor', '--to', 'me@bank.example'],
      {},
      2,
      /^There is no template "constructor"; allowed: ciba-with-binding-message, ciba-without-binding-message$/,
    ],
    [
      'a locale that is none',
      ['template', 'preview', 'ciba-with-binding-message', '--locale', 'fr_CA'],
      {},
      2,
      /^option '--locale <tag>' argument 'fr_CA' is invalid\. Allowed: language tags such as en, pt-BR or zh-Hant; /,
    ],
    [
      'two parts alone',
      ['template', 'preview', 'ciba-with-binding-message', '--html', '--text'],
      {},
      2,
      /^option '--html' cannot be used with option '--text'; /,
    ],
    [
      'a test mail to nobody',
      ['template', 'test', 'ciba-with-binding-message'],
      {},
      2,
      /^--to <address> is missing: who is sent the mail$/,
    ],
    [
      'a test mail to what is no address',
      ['template', 'test', 'ciba-with-binding-message', '--to', 'me'],
      {},
      2,
      /^option '--to <address>' argument 'me' is invalid\. Allowed: one e-mail address such as alice@example\.com; /,
    ],
    ['a word too many', ['template', 'list', 'all'], {}, 2, /^too many arguments for 'list'/],
    ['a flow by its name', ['flow', 'list', 'ciba-flow'], {}, 2, /^too many arguments for 'list'/],
    [
      'the flows of a missing stack',
      ['flow', 'list', '--stack', 'Other'],
      {},
      1,
      /^No stack Other in us-east-1/,
    ],
    [
      'a wrong option',
      ['keys', 'list', '--colour'],
      {},
      2,
      /^unknown option '--colour'; .*--help tells more$/,
    ],
    ['an unknown command', ['kyes'], {}, 2, /^unknown command 'kyes'/],
    [
      'a question without a terminal',
      ['keys', 'rotate'],
      {},
      2,
      /There is no terminal to ask on: --yes says yes$/,
    ],
    [
      'a missing stack',
      ['keys', 'list', '--stack', 'Other'],
      {},
      1,
      /^No stack Other in us-east-1: --stack names another/,
    ],
    [
      'nothing that listens',
      ['doctor'],
      { AWS_ENDPOINT_URL: 'http://localhost:1' },
      1,
      /^Nothing listens at .*:1: is AWS_ENDPOINT_URL right/,
    ],
    [
      'no credentials',
      ['doctor'],
      { AWS_ACCESS_KEY_ID: undefined },
      1,
      /^No AWS credentials \(.*\): AWS_PROFILE/,
    ],
    [
      'a file that cannot be read',
      ['apply', '-f', '/nowhere.yaml'],
      {},
      2,
      /^\/nowhere\.yaml: cannot be read \(/,
    ],
    ['no region', ['doctor'], { AWS_REGION: undefined }, 1, /^No AWS region: AWS_REGION/],
  ])('ends with one line for %s', async (_, argv, own, code, message) => {
    const { exitCode, stdout, stderr } = await ciba(argv, own);
    expect([exitCode, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(message);
  });

  it('is quiet when nobody reads on', async () => {
    const child = start(['keys', 'list']);
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toBe('');
  });
});
