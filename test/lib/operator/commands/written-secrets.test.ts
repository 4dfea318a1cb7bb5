/**
 * No command that is documented takes a secret as an argument: lists of processes and the shell's
 * history would have it.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { usage } from '../../../../lib/local/read-options.ts';
import {
  askUnseen,
  type Environment,
  readStdin,
} from '../../../../lib/operator/command-context.ts';
import { createProgram } from '../../../../lib/operator/command-line.ts';
import { readClientSecret } from '../../../../lib/operator/smoke/smoke-secret.ts';
import { ciba } from '../../../support/ciba-command.ts';

/**
 * Published with the examples, so secret to nobody; and what local emulators take for credentials.
 */
const published = /example-secret-of-[a-z0-9-]+-for-localhost-only|=(?:test|local)\b/g;

/**
 * An option or a variable of such a name, or credentials of curl, with a value; a file's name is
 * none.
 */
const withSecret = [
  /(?<!\S)--[\w-]*(?:secret|password|passphrase|token|credential)(?!-(?:file|stdin|env))[\w-]*[= ]+(?!-)\S/i,
  /\b[A-Z\d_]*(?:SECRET|PASSWORD|PASSPHRASE|TOKEN|CREDENTIAL)[A-Z\d_]*=\S/,
  /(?<!\S)(?:-u|--user) \S+:\S|client_secret=\S|https?:\/\/[^\s/]+:[^\s/]+@/i,
];

const isWithSecret = (line: string) => {
  const unpublished = line.replaceAll(published, '');
  return withSecret.some((pattern) => pattern.test(unpublished));
};

describe('O41: a line like this is found', () => {
  it.each([
    'export CIBA_CLIENT_SECRET=…    # of the client',
    'CIBA_CLIENT_SECRET=abc ciba smoke',
    'ciba smoke --client-secret abc',
    'ciba smoke --client-secret=abc',
    'ciba client rotate-secret pump-4 --secret abc',
    'curl -u pump-4:abcdef https://id.example/token',
    'curl -d client_secret=abc https://id.example/token',
    'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI npx cdk deploy',
  ])('%s', (line) => {
    expect(isWithSecret(line)).toBe(true);
  });

  it.each([
    'ciba smoke --client-secret-file - --client-id pump-4',
    'ciba client rotate-secret pump-4 --secret-stdin --yes',
    'curl -u pump-4:example-secret-of-pump-4-for-localhost-only http://localhost:4010/token',
    'ciba user revoke-tokens alice',
  ])('and one like this is none: %s', (line) => {
    expect(isWithSecret(line)).toBe(false);
  });
});

/**
 * Lines of code in a document of ours: those of blocks, indented or fenced, and what is quoted
 * within a line.
 */
function commandsOf(document: string): string[] {
  const blocks = document.split('\n').filter((line) => /^ {4}/.test(line));
  const fenced = [...document.matchAll(/```(?:sh|bash|shell|console)?\n([\s\S]*?)```/g)];
  const quoted = [...document.matchAll(/`([^`\n]+)`/g)];
  return [
    ...blocks,
    ...fenced.flatMap(([, text = '']) => text.split('\n')),
    ...quoted
      .map(([, text = '']) => text)
      .filter((text) => /^(?:ciba|npm|npx|curl|export|node) /.test(text)),
  ];
}

it.each(['README.md', 'SECURITY.md', 'statemachines/README.md'])(
  'O41: %s has no command with a secret in it',
  async (path) => {
    const commands = commandsOf(await readFile(path, 'utf8'));
    expect(commands.filter(isWithSecret)).toEqual([]);
  },
);

const world = {
  ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
  findDeployment: () => Promise.reject(new Error('none')),
  ...{ clock: () => 0, interruption: () => new AbortController().signal, isUtf8: true },
  environment: {},
};

function withInner(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withInner)];
}
const commands = withInner(await createProgram(world));

it('O41: no option and no argument of a command takes a secret', () => {
  const names = commands.flatMap((command) => [
    ...command.options
      .filter(({ required, optional }) => required || optional)
      .map(({ long }) => long),
    ...command.registeredArguments.map((argument) => argument.name()),
  ]);
  expect(names).toContain('--keep');
  // A file is no secret; what it names is read.
  const ofSecret = /(?:secret|password|token|credential)(?!-file$)/i;
  expect(names.filter((name) => ofSecret.test(String(name)))).toEqual([]);
});

it('O41: no help of a command has one in its text or examples', async () => {
  const helps = await Promise.all(
    commands.slice(1).map(async (command) => {
      const words = [command.name()];
      for (let at = command.parent; at?.parent; at = at.parent) words.unshift(at.name());
      return (await ciba([...words, '--help'])).stdout;
    }),
  );
  for (const help of [...helps, usage]) {
    expect(help.split('\n').filter(isWithSecret)).toEqual([]);
  }
});

describe('O41: the secret of ciba smoke', () => {
  const fileOf = async (text: string) => {
    const path = join(await mkdtemp(join(tmpdir(), 'smoke-')), 'secret');
    await writeFile(path, text);
    return path;
  };

  function read(
    file: string | undefined,
    { typed, piped, env = {} }: { typed?: string; piped?: string; env?: Environment } = {},
  ) {
    const [stdin, stderr] = [new PassThrough(), new PassThrough()];
    if (typed !== undefined) {
      for (const stream of [stdin, stderr]) Object.assign(stream, { isTTY: true });
      stdin.write(`${typed}\n`);
    }
    if (piped !== undefined) stdin.end(piped);
    let shown = '';
    stderr.on('data', (chunk) => (shown += String(chunk)));
    return readClientSecret(file, {
      environment: env,
      readStdin: () => readStdin({ stdin }),
      askUnseen: (prompt, otherwise) => askUnseen({ stdin, stderr }, prompt, otherwise),
    }).then((secret) => ({ secret, shown }));
  }

  it('is that of a file, of stdin, of the environment, or typed and not shown', async () => {
    expect(await read(await fileOf('s p\r\n'))).toMatchObject({
      secret: 's p',
    });
    expect(await read('-', { piped: 'piped\n' })).toMatchObject({
      secret: 'piped',
    });
    const env = { CIBA_CLIENT_SECRET: 'environment' };
    expect(await read(undefined, { env })).toMatchObject({ secret: 'environment' });
    expect(await read(await fileOf('first'), { env })).toMatchObject({
      secret: 'first',
    });
    const { secret, shown } = await read(undefined, { typed: 'typed' });
    expect(secret).toBe('typed');
    expect(shown).toContain('Secret of the client (not shown)');
    expect(shown).not.toContain('typed');
  });

  it.each<[string, () => Promise<string | undefined>, { piped?: string; typed?: string }, string]>([
    [
      'neither given nor to be asked for',
      async () => undefined,
      {},
      'there is no terminal to ask on; allowed: a file',
    ],
    ['in no file', async () => '/nowhere', {}, '/nowhere: cannot be read'],
    ['empty', async () => fileOf('\n'), {}, 'is empty'],
    ['empty on stdin', async () => '-', { piped: '' }, 'stdin is empty'],
    ['empty as typed', async () => undefined, { typed: '' }, 'is empty'],
    ['of a terminal as stdin', async () => '-', { typed: 'x' }, 'there is a terminal'],
  ])('that is %s is told', async (_, own, how, message) => {
    const error: unknown = await read(await own(), how).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: 'OperatorError', code: 'usage' });
    expect(String(error)).toContain(message);
  });

  it('is no argument', async () => {
    expect(await ciba(['smoke', '--client-secret', 'x'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("unknown option '--client-secret'"),
    });
  });
});
