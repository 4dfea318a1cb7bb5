/** The operator's command line as a process, against a local host that runs the whole stack: as on an account. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SynthesizedHost, startSynthesizedHost } from './support/synthesized-host.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

let host: SynthesizedHost;
beforeAll(async () => {
  host = await startSynthesizedHost();
});
afterAll(() => host?.stop());

/** What `describe-local-host.ts` tells a person to set. */
const environment = () => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL: host.control,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_REGION: 'us-east-1',
});

type Environment = Record<string, string | undefined>;

function start(argv: string[], own: Environment = {}): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'bin/ciba.ts', ...argv], {
    cwd: project,
    env: { ...environment(), ...own },
  });
}

async function ciba(argv: string[], own?: Environment) {
  const child = start(argv, own);
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (written.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (written.stderr += String(chunk)));
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  return { exitCode, ...written };
}

describe('ciba', () => {
  it('finds the deployment without an option, and prints one JSON value and nothing else', async () => {
    const { exitCode, stdout, stderr } = await ciba(['keys', 'list', '--json']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const statuses = JSON.parse(stdout).map(({ kind, status }: Record<string, string>) => [
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
    const made: Record<string, string>[] = JSON.parse(stdout);
    expect(made.map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting', 'in use']);
    const { keys } = JSON.parse(await (await fetch(`${host.issuer}/jwks`)).text());
    expect(keys.map(({ kid }: { kid: string }) => kid)).toContain(made[0]?.['kid']);
  });

  it('finds the local host healthy, whatever of AWS it does not have', async () => {
    const { exitCode, stdout } = await ciba(['doctor', '--json']);
    const { findings } = JSON.parse(stdout);
    expect(findings).not.toContainEqual(expect.objectContaining({ verdict: 'fault' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'issuer', verdict: 'ok' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'keys', verdict: 'ok' }));
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'alarms', verdict: 'not here' }),
    );
    expect(exitCode).toBe(0);
  });

  it.each<[string, string[], Environment, number, RegExp]>([
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
