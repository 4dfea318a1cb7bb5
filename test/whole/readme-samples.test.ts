/**
 * The programs of the README as they stand there, each against a provider that answers well, and
 * against one that answers what nobody asked for (OpenID Connect Core 3.1.3.7).
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acknowledged,
  type ScriptedProvider,
  startScriptedProvider,
} from '../lib/demo/scripted-provider.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Below the repository, so that the program finds openid-client as a user's does. */
const folder = join('build', 'readme-samples');

type Language = 'js' | 'python' | 'go';

interface Calls {
  file: string;
  compile?: string[];
  run: string[];
  needs: string[];
}

/** How a program in a language is called, compiled and run, and what shows that it can be. */
const languages: Record<Language, Calls> = {
  js: {
    file: 'sample.mjs',
    run: ['node', join(folder, 'sample.mjs')],
    needs: ['node', '--version'],
  },
  python: {
    file: 'sample.py',
    run: ['python3', join(folder, 'sample.py')],
    needs: ['python3', '-c', 'import requests, joserfc'],
  },
  go: {
    file: 'sample.go',
    compile: ['go', 'build', '-o', join(folder, 'sample'), join(folder, 'sample.go')],
    run: [join(folder, 'sample')],
    needs: ['go', 'version'],
  },
};

/** Nothing is fetched for a test: not even a newer Go. */
const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', GO111MODULE: 'off' };

let provider: ScriptedProvider;
beforeAll(async () => {
  provider = await startScriptedProvider('RS256');
  mkdirSync(folder, { recursive: true });
});
afterAll(async () => {
  await provider.stop();
  rmSync(folder, { recursive: true });
});

/** Puts the program in this language where it runs, with this provider's address in it. */
function write(language: Language): void {
  const [, program = ''] = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(readme) ?? [];
  const path = join(folder, languages[language].file);
  writeFileSync(path, program.replaceAll('http://localhost:4010', provider.issuer));
}

interface Ended {
  isGood: boolean;
  stdout: string;
  stderr: string;
}

function run([command = '', ...args]: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) =>
      resolve({ isGood: error === null, stdout, stderr }),
    );
  });
}

const name = 'Alice Example';
const good = () => ({ acr: `${provider.issuer}/acr/code`, name });

const answers: [string, boolean, () => string | Promise<string>][] = [
  ['what was asked for', true, () => provider.idToken(good())],
  [
    'a lower level',
    false,
    () => provider.idToken({ ...good(), acr: `${provider.issuer}/acr/link` }),
  ],
  ['no level', false, () => provider.idToken({ name })],
  ['another subject', false, () => provider.idToken({ ...good(), sub: 'u-bob' })],
  ['another client’s token', false, () => provider.idToken({ ...good(), aud: 'desk-1' })],
  ['a token that nobody signed', false, () => provider.unsigned(good())],
  ['a token that somebody else signed', false, () => provider.forged(good())],
];

const all: Language[] = ['js', 'python', 'go'];
const can = (language: Language) => {
  const [command = '', ...args] = languages[language].needs;
  return spawnSync(command, args, { env }).status === 0;
};

describe.each(all.map((language) => [language, can(language)] as const))(
  'P36: the program in %s (which can be run here: %s)',
  (language, isThere) => {
    const { run: command, compile } = languages[language];

    // What Go has never compiled takes it a minute.
    beforeAll(async () => {
      if (!isThere) return;
      write(language);
      if (compile) expect(await run(compile)).toMatchObject({ isGood: true });
    });

    it.skipIf(!isThere).each(answers)(
      'answered with %s, prints it: %s',
      async (_what, isTaken, idToken) => {
        const tokens = { access_token: 'a', token_type: 'Bearer', id_token: await idToken() };
        provider.asked = [acknowledged];
        provider.polled = [{ status: 200, body: tokens }];
        const { isGood, stdout, stderr } = await run(command);
        expect(isGood, stderr).toBe(isTaken);
        expect(stdout.includes(name)).toBe(isTaken);
        const asked = provider.requests.at(-1);
        expect(asked?.get('acr_values')).toBe(`${provider.issuer}/acr/code`);
        expect(stdout).toContain(`Type ${asked?.get('binding_message')} on the page`);
      },
    );
  },
);
