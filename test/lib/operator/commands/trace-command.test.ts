/**
 * `ciba trace`: what it makes of frames and of an assembly's source maps, and what it says where it
 * cannot.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciba } from '../../../support/ciba-command.ts';

/**
 * Line 1 from column 5 is of the first source, all of line 3 of line 42, column 7 of the second.
 */
const map = {
  version: 3,
  sources: ['lambdas/handlers/token.ts', 'lambdas/ciba/request/poll.ts'],
  names: [],
  mappings: 'IAAA;;ACyCM',
};

const REMEDY = 'npx cdk synth --quiet writes it, in a checkout of the version that is deployed';

let assembly: string;
beforeAll(() => {
  assembly = mkdtempSync(join(tmpdir(), 'ciba-trace-'));
  mkdirSync(join(assembly, 'source-maps'));
  const write = (name: string, text: string) =>
    writeFileSync(join(assembly, 'source-maps', `${name}.mjs.map`), text);
  for (const name of ['token', 'backchannel-authentication', 'rotate-keys', 'mail-feedback']) {
    write(
      name,
      JSON.stringify({ ...map, sources: [`${name}.ts`, 'lambdas/ciba/request/poll.ts'] }),
    );
  }
  write('mail', '{"version":3}');
  write('approve', 'no JSON');
});
afterAll(() => rmSync(assembly, { recursive: true }));

const trace = (...words: string[]) => ciba(['trace', ...words, '--assembly', assembly]);

describe('ciba trace', () => {
  it('prints a line for each frame, in the order in which it was given', async () => {
    const { exitCode, stdout } = await trace('token', 'index.mjs:3:12', 'index.mjs:1:5');
    expect([exitCode, stdout.split('\n')]).toEqual([
      0,
      ['index.mjs:3:12  lambdas/ciba/request/poll.ts:42:7', 'index.mjs:1:5   token.ts:1:1', ''],
    ]);
  });

  it.each(['file:///var/task/index.mjs:1:5', '/var/task/index.mjs:1:5'])(
    'takes a frame as Lambda’s own lines have it: %s',
    async (frame) => {
      expect((await trace('token', frame)).stdout).toBe('index.mjs:1:5  token.ts:1:1\n');
    },
  );

  it.each([
    ['backchannel_authentication', 'backchannel-authentication'],
    ['backchannel-authentication', 'backchannel-authentication'],
    ['key_rotation', 'rotate-keys'],
    ['rotate-keys', 'rotate-keys'],
    ['mail_feedback', 'mail-feedback'],
  ])('takes %s for the function %s', async (name, handler) => {
    expect((await trace(name, 'index.mjs:1:5')).stdout).toBe(`index.mjs:1:5  ${handler}.ts:1:1\n`);
  });

  it('says of which frame the map has no source, if it has one of another', async () => {
    const { exitCode, stdout } = await trace(
      'token',
      'index.mjs:1:2',
      'index.mjs:2:9',
      'index.mjs:1:9',
    );
    expect([exitCode, stdout.split('\n')]).toEqual([
      0,
      [
        'index.mjs:1:2  in code of the bundler',
        'index.mjs:2:9  in code of the bundler',
        'index.mjs:1:9  token.ts:1:1',
        '',
      ],
    ]);
  });

  it.each<[string, string[], number, () => string]>([
    [
      'no frame is in the map',
      ['token', 'index.mjs:1:2', 'index.mjs:9999:1'],
      1,
      () =>
        `${join(assembly, 'source-maps/token.mjs.map')} has no source of index.mjs:1:2 or index.mjs:9999:1; ${REMEDY}`,
    ],
    [
      'there is no such function',
      ['tokn', 'index.mjs:1:5'],
      2,
      () =>
        'There is no function "tokn"; allowed: approve, backchannel-authentication, mail, mail-feedback, rotate-keys, token',
    ],
    [
      'the map is half of one',
      ['mail', 'index.mjs:1:5'],
      1,
      () =>
        `${join(assembly, 'source-maps/mail.mjs.map')} cannot be read as a source map; ${REMEDY}`,
    ],
    [
      'the map is none',
      ['approve', 'index.mjs:1:5'],
      1,
      () =>
        `${join(assembly, 'source-maps/approve.mjs.map')} cannot be read as a source map; ${REMEDY}`,
    ],
  ])('says so if %s', async (_what, words, exitCode, message) => {
    expect(await trace(...words)).toMatchObject({
      exitCode,
      stdout: '',
      stderr: `${message()}\n`,
    });
  });

  it('says so if there are no maps, as where nothing was synthesized', async () => {
    const folder = join(assembly, 'nowhere');
    expect(await ciba(['trace', 'token', 'index.mjs:1:5', '--assembly', folder])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: `There is no source map in ${folder}; ${REMEDY}\n`,
    });
  });

  it.each([
    'index.mjs',
    'index.mjs:1',
    'index.mjs:0:1',
    'index.mjs:1:x',
    'other.mjs:1:5',
    '1:5',
    '',
  ])('says of %j that it is no frame', async (frame) => {
    const { exitCode, stderr } = await trace('token', frame);
    expect([exitCode, stderr]).toEqual([
      2,
      `${JSON.stringify(frame)} is no frame; allowed: index.mjs:LINE:COLUMN, as at of a log line has it\n`,
    ]);
  });
});
