/**
 * The smoke flow against a local host: through every step, and to the first that fails, which it
 * names with what it expected and saw.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { outputSchemas } from '../../../../lib/operator/output-schema.ts';
import { type SmokeListener, smoke } from '../../../../lib/operator/smoke/smoke.ts';
import { awaitLink } from '../../../../lib/operator/smoke/smoke-mail.ts';
import type { SmokeTarget } from '../../../../lib/operator/smoke/smoke-target.ts';
import { OperatorError } from '../../../../lib/operator/terminal/operator-error.ts';
import { decide } from '../../../black-box/authentication-device.ts';
import { ciba } from '../../../support/ciba-command.ts';
import { runCiba } from '../../../support/ciba-process.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../../../support/synthesized-host.ts';

const secret = 'a secret + 100% of & for = tests of 40';
const client = { client_id: 'desk', client_secret: secret, client_name: 'Help Desk' };
const directory = parseDirectory({
  clients: [
    { ...client, token_endpoint_auth_method: 'client_secret_basic' },
    {
      ...client,
      client_id: 'pump',
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'ES256',
    },
    {
      ...client,
      client_id: 'kiosk',
      token_endpoint_auth_method: 'client_secret_basic',
      confirmation_level: 'code',
    },
  ],
  users: [{ sub: 'u-alice', username: 'alice', email: 'alice@example.com', email_verified: true }],
});

let host: SynthesizedHost;
beforeAll(async () => {
  host = await startSynthesizedHost();
  await host.applyDirectory(directory, { prune: false });
});
afterAll(() => host?.stop());

function targetOf(changes: Partial<SmokeTarget> = {}): SmokeTarget {
  return {
    issuer: host.issuer,
    clientId: 'desk',
    clientSecret: secret,
    method: 'basic',
    loginHint: 'alice',
    mailStore: `${host.inbox}/store`,
    ...changes,
  };
}

/** Runs it as a process, with the secret in its environment. */
const runCommand = (...options: string[]) =>
  runCiba(host.control, ['smoke', ...options], { CIBA_CLIENT_SECRET: secret });

/** Puts down the names of the steps, and what a person is asked to do. */
function listen(): SmokeListener & { steps: string[]; seen: string[]; told: string[] } {
  const steps: string[] = [];
  const seen: string[] = [];
  const told: string[] = [];
  return {
    ...{ steps, seen, told },
    passed(step) {
      steps.push(step.step);
      seen.push(step.seen);
    },
    asked: (text) => void told.push(text),
  };
}

/** Runs the flow to its failure; answers the names of the steps before it, and its message. */
async function failureOf(target: SmokeTarget): Promise<{ done: string[]; message: string }> {
  const listener = listen();
  const error: unknown = await smoke(target, listener).catch((failure: unknown) => failure);
  if (!(error instanceof OperatorError)) throw new Error(`no failure: ${String(error)}`);
  return { done: listener.steps, message: error.message };
}

/** `ok      first poll         authorization_pending`: the name is in the middle. */
const nameOf = (line: string) => line.slice(8, 27).trim();

describe('ciba smoke', () => {
  it('ends with 0 and a line for every step, and shows neither secret nor token', async () => {
    const { exitCode, stdout, stderr } = await runCommand(
      ...['--issuer', host.issuer, '--client-id', 'desk', '--login-hint', 'alice'],
      ...['--mail-store', `${host.inbox}/store`],
    );
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n').map(nameOf)).toEqual([
      'discovery',
      'keys',
      'wrong secret',
      'request',
      'first poll',
      'mail',
      'decision',
      'tokens',
      'ID Token',
      'access token',
      'second redemption',
    ]);
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toMatch(/ey[\w-]+\.|\/approve\//);
  });

  it('ends with 1 and names the step, what it expected and what it saw', async () => {
    const { exitCode, stdout, stderr } = await runCommand(
      ...['--issuer', host.issuer, '--client-id', 'desk', '--login-hint', 'nobody'],
    );
    expect(exitCode).toBe(1);
    expect(stdout.trim().split('\n').map(nameOf)).toEqual(['discovery', 'keys', 'wrong secret']);
    expect(stderr).toMatch(
      /^FAILED {2}request: expected 200 with an acknowledgement; saw 400 .*"unknown_user_id"/,
    );
  });

  it('ends with 2 for a wrong option', async () => {
    const { exitCode, stderr } = await runCommand('--issuer', 'http://op.example');
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      "option '--issuer <url>' argument 'http://op.example' is invalid. Allowed: https, or http on this machine; ciba smoke --help tells more\n",
    );
  });
});

describe('the smoke flow', () => {
  it('authenticates with client_secret_post and verifies ES256', async () => {
    const listener = listen();
    await smoke(targetOf({ clientId: 'pump', method: 'post' }), listener);
    expect(listener.steps.at(-1)).toBe('second redemption');
  });

  it('types the code where its client is confirmed by one', async () => {
    const listener = listen();
    await smoke(targetOf({ clientId: 'kiosk' }), listener);
    expect(listener.seen.join('\n')).toContain('/acr/code');
  });

  it('asks a person to open the mail where it cannot read it, and fails if the person denies', async () => {
    const { told, ...listener } = listen();
    let decided: Promise<unknown> | undefined;
    const asked = (text: string) => {
      told.push(text);
      const ref = /open the mail with Request ID (\w+)/.exec(text)?.[1];
      if (ref === undefined) return;
      decided = awaitLink(`${host.inbox}/store`, ref).then((link) => decide(link, 'deny'));
    };
    const flow = smoke(targetOf({ mailStore: undefined }), { ...listener, asked });
    await expect(flow).rejects.toThrow(
      /^FAILED {2}tokens: expected 200 with an ID Token and an access token; saw 400 .*"access_denied"/,
    );
    await decided;
    expect(told.at(-1)).toMatch(/approve within 300 s/);
  });

  it.each<[string, Partial<SmokeTarget>, string]>([
    ['no provider', { issuer: 'http://localhost:1' }, 'discovery: expected an answer from'],
    [
      'another secret',
      { clientSecret: 'another' },
      'request: expected 200 with an acknowledgement',
    ],
    ['another method', { method: 'post' }, 'request: expected 200 with an acknowledgement'],
    ['no mailbox', { mailStore: 'http://localhost:1/' }, 'mail: expected an answer from'],
  ])('tells of %s', async (_what, changes, message) => {
    expect((await failureOf(targetOf(changes))).message).toContain(`FAILED  ${message}`);
  });

  it('wants the very issuer that it asked', async () => {
    const issuer = host.issuer.replace('localhost', '127.0.0.1');
    expect(await failureOf(targetOf({ issuer }))).toEqual({
      done: [],
      message: `FAILED  discovery: expected issuer ${issuer}; saw ${host.issuer}`,
    });
  });
});

describe('the options', () => {
  const given = ['--issuer', 'https://op.example', '--client-id', 'desk', '--login-hint', 'alice'];

  it.each<[string, string[], string]>([
    ['missing', [], '--issuer is missing'],
    ['unknown', ['--unknown'], "unknown option '--unknown'"],
    [
      'another method',
      [...given, '--method', 'jwt'],
      "option '--method <method>' argument 'jwt' is invalid. Allowed choices are basic, post.",
    ],
    [
      'a mail store that is no URL',
      [...given, '--mail-store', 'inbox'],
      "option '--mail-store <url>' argument 'inbox' is invalid. Allowed: an http or https URL",
    ],
    [
      'an issuer with a slash at its end',
      [...given, '--issuer', 'https://op.example/'],
      "option '--issuer <url>' argument 'https://op.example/' is invalid. Allowed: the issuer as discovery has it, without a slash at its end",
    ],
    [
      'an empty client id',
      [...given, '--client-id', ''],
      "option '--client-id <id>' argument '' is invalid. Allowed: a text that is not empty",
    ],
  ])('are told what is wrong: %s', async (_what, argv, message) => {
    const environment = { CIBA_CLIENT_SECRET: 's' };
    const { exitCode, stdout, stderr } = await ciba(['smoke', ...argv], { environment });
    expect([exitCode, stdout, stderr]).toEqual([
      2,
      '',
      `${message}; ciba smoke --help tells more\n`,
    ]);
  });

  it('ask for JSON: the steps that passed, and on stderr the one that did not', async () => {
    const argv = ['--issuer', host.issuer, '--client-id', 'desk', '--login-hint', 'nobody'];
    const { exitCode, stdout, stderr } = await ciba(['smoke', ...argv, '--json'], {
      environment: { CIBA_CLIENT_SECRET: secret },
    });
    expect(exitCode).toBe(1);
    const steps: unknown = JSON.parse(stdout);
    expect(outputSchemas['smoke']?.safeParse(steps).error).toBeUndefined();
    expect(steps).toMatchObject({
      items: [{ step: 'discovery' }, { step: 'keys' }, { step: 'wrong secret' }],
      next: null,
    });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'faults_found' } });
  });
});
