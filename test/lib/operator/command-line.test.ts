/**
 * The command line itself: help that can be followed, faults that say what is allowed, exit codes,
 * and JSON alone on stdout.
 */
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../lib/operator/command-line.ts';
import { ciba } from '../../support/ciba-command.ts';

const world = {
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  findDeployment: () => Promise.reject(new Error('none')),
  clock: () => 0,
  interruption: () => new AbortController().signal,
  isUtf8: true,
  environment: {},
};

/** Every command, as it is called: `keys list`. */
function paths(command: Command, before: string[] = []): string[][] {
  return command.commands.flatMap((inner) => {
    const path = [...before, inner.name()];
    return [path, ...paths(inner, path)];
  });
}
const commands = paths(await createProgram(world)).map((path) => path.join(' '));

describe.each(commands)('ciba %s', (command) => {
  it('has help with a description, examples that begin with it, and the global options', async () => {
    const { exitCode, stdout, stderr } = await ciba([...command.split(' '), '--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: ciba ${command} `));
    expect(stdout).toMatch(new RegExp(`\\nExamples:\\n  ciba ${command}\\b`));
    expect(stdout).toContain('--stack <name>');
  });

  it('ends with 2 for an option it does not have, naming it', async () => {
    const { exitCode, stdout, stderr } = await ciba([...command.split(' '), '--colour']);
    expect([exitCode, stdout]).toEqual([2, '']);
    // A group that does something without a command names the one that it does.
    expect(stderr).toMatch(
      new RegExp(`^unknown option '--colour'; ciba ${command}(?: list)? --help tells more\n$`),
    );
  });
});

describe('ciba', () => {
  it('shows its commands on stderr, and ends with 2, when none is named', async () => {
    const { exitCode, stdout, stderr } = await ciba([]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Examples:');
  });

  it.each([
    [
      'an unknown command',
      ['keyz'],
      /^unknown command 'keyz' \(Did you mean keys\?\); allowed: .*\bkeys\b.*; ciba --help tells more\n$/,
    ],
    [
      'an unknown command beside the name of one',
      ['keyz', 'user'],
      /^unknown command 'keyz' \(Did you mean keys\?\); allowed: apply, .*\btrace; /,
    ],
    [
      'an unknown command that every object has',
      ['constructor'],
      /^unknown command 'constructor'; allowed: apply, /,
    ],
    [
      'an unknown command of a group, for a stack that is called like another',
      ['--stack', 'user', 'keys', 'lst'],
      /^unknown command 'lst'.*; allowed: list, rotate, remove; ciba keys --help/,
    ],
    [
      'an unknown command of a group',
      ['keys', 'lst'],
      /^unknown command 'lst'.*; allowed: list, rotate, remove; ciba keys --help/,
    ],
    ['a word too many', ['keys', 'list', 'all'], /^too many arguments for 'list'/],
    [
      'a stack that is no name',
      ['--stack', '1a', 'keys', 'list'],
      /^--stack: "1a" is not allowed; allowed: a letter, then /,
    ],
    [
      'a stack that is not named',
      ['keys', 'list', '--stack'],
      /^option '--stack <name>' argument missing; /,
    ],
  ])('ends with 2 and one line for %s', async (_, argv, message) => {
    const { exitCode, stdout, stderr } = await ciba(argv);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('ends with 1 and one line for a fault that nobody foresaw, and shows no stack', async () => {
    const { exitCode, stdout, stderr } = await ciba(['keys', 'list', '--json', '--stack', 'Other']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'failed', message: 'Error: no deployment Other in this test', hint: null },
    });
    const told = await ciba(['keys', 'list', '--stack', 'Other']);
    expect(told.stderr).toBe('Error: no deployment Other in this test\n');
  });
});
