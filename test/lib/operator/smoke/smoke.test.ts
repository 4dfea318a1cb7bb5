/**
 * The smoke flow against a local host: through every step, and to the first that fails, which it names with what it
 * expected and saw.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { SmokeFailure, smoke } from '../../../../lib/operator/smoke/smoke.ts';
import { awaitLink } from '../../../../lib/operator/smoke/smoke-mail.ts';
import {
  readSmokeOptions,
  type SmokeTarget,
  SmokeUsageError,
} from '../../../../lib/operator/smoke/smoke-options.ts';
import { decide } from '../../../black-box/authentication-device.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../../../support/synthesized-host.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

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

/** Runs bin/smoke.ts as `npm run smoke` does. */
function runCommand(...options: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const argv = ['--import', 'tsx', 'bin/smoke.ts', ...options];
  return new Promise((resolve) => {
    const env = { ...process.env, CIBA_CLIENT_SECRET: secret };
    execFile(process.execPath, argv, { cwd: root, env }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
}

/** Runs the flow to its failure; answers the names of the steps before it, and its message. */
async function failureOf(target: SmokeTarget): Promise<{ done: string[]; message: string }> {
  const lines: string[] = [];
  const error: unknown = await smoke(target, (line) => void lines.push(line)).catch(
    (failure: unknown) => failure,
  );
  if (!(error instanceof SmokeFailure)) throw new Error(`no failure: ${String(error)}`);
  return { done: lines.map(nameOf), message: error.message };
}

/** `ok      first poll         authorization_pending`: the name is in the middle. */
const nameOf = (line: string) => line.slice(8, 27).trim();

describe('npm run smoke', () => {
  it('ends with 0 and a line for every step, and shows neither secret nor token', async () => {
    const { code, out, err } = await runCommand(
      ...['--issuer', host.issuer, '--client-id', 'desk', '--login-hint', 'alice'],
      ...['--mail-store', `${host.inbox}/store`],
    );
    expect([code, err]).toEqual([0, '']);
    expect(out.trim().split('\n').map(nameOf)).toEqual([
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
    expect(out).not.toContain(secret);
    expect(out).not.toMatch(/ey[\w-]+\.|\/approve\//);
  });

  it('ends with 1 and names the step, what it expected and what it saw', async () => {
    const { code, out, err } = await runCommand(
      ...['--issuer', host.issuer, '--client-id', 'desk', '--login-hint', 'nobody'],
    );
    expect(code).toBe(1);
    expect(out.trim().split('\n').map(nameOf)).toEqual(['discovery', 'keys', 'wrong secret']);
    expect(err).toMatch(
      /^FAILED {2}request: expected 200 with an acknowledgement; saw 400 .*"unknown_user_id"/,
    );
  });

  it('ends with 2 for a wrong option', async () => {
    const { code, err } = await runCommand('--issuer', 'http://op.example');
    expect(code).toBe(2);
    expect(err).toBe(
      '--issuer: http://op.example is not allowed; allowed: https, or http on this machine\n',
    );
  });
});

describe('the smoke flow', () => {
  it('authenticates with client_secret_post and verifies ES256', async () => {
    const lines: string[] = [];
    await smoke(targetOf({ clientId: 'pump', method: 'post' }), (line) => void lines.push(line));
    expect(lines.at(-1)).toMatch(/^ok +second redemption/);
  });

  it('types the code where its client is confirmed by one', async () => {
    const lines: string[] = [];
    await smoke(targetOf({ clientId: 'kiosk' }), (line) => void lines.push(line));
    expect(lines.join('\n')).toContain('/acr/code');
  });

  it('asks a person to open the mail where it cannot read it, and fails if the person denies', async () => {
    const told: string[] = [];
    let decided: Promise<unknown> | undefined;
    const flow = smoke(targetOf({ mailStore: undefined }), (line) => {
      told.push(line);
      const ref = /open the mail with Request ID (\w+)/.exec(line)?.[1];
      if (ref === undefined) return;
      decided = awaitLink(`${host.inbox}/store`, ref).then((link) => decide(link, 'deny'));
    });
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

  it('take the secret from the environment, and basic for a method', () => {
    expect(readSmokeOptions(given, { CIBA_CLIENT_SECRET: 's' })).toEqual({
      issuer: 'https://op.example',
      clientId: 'desk',
      clientSecret: 's',
      method: 'basic',
      loginHint: 'alice',
      mailStore: undefined,
    });
  });

  it('are told what is wrong', () => {
    const environment = { CIBA_CLIENT_SECRET: 's' };
    const wrong = [
      [],
      ['--unknown'],
      [...given, '--method', 'jwt'],
      [...given, '--mail-store', 'inbox'],
      [...given, '--issuer', 'https://op.example/'],
    ];
    const messages = wrong.map((argv) => {
      try {
        return readSmokeOptions(argv, environment);
      } catch (error) {
        return error instanceof SmokeUsageError ? error.message : error;
      }
    });
    expect(messages).toEqual([
      '--issuer is missing; --help lists the options',
      "Unknown option '--unknown'; --help lists the options",
      '--method: "jwt" is not allowed; allowed: basic, post',
      '--mail-store: "inbox" is not allowed; allowed: an http or https URL',
      '--issuer: https://op.example/ is not allowed; allowed: the issuer as discovery has it, without a slash at its end',
    ]);
    expect(readSmokeOptions(['--help'], {})).toBeUndefined();
  });
});
