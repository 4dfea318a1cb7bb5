/**
 * The clients of README, "With a client library": each program runs as it stands there, but for the address, through a local
 * host, and prints what the user approved.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDirectory } from '../lib/operator/directory-file.ts';
import { decide } from './black-box/authentication-device.ts';
import { type SynthesizedHost, startSynthesizedHost } from './support/synthesized-host.ts';

const readme = readFileSync('README.md', 'utf8');
const [, section = ''] = readme.split('\n## With a client library\n');

/** The one program of the section in this language. */
function programIn(language: string): string {
  const [, program = ''] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(section) ?? [];
  return program;
}

/** Whether a command ends well, so that a machine without its language leaves the case out. */
function works(command: string, ...argv: string[]): boolean {
  try {
    execFileSync(command, argv, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const clients = [
  {
    language: 'js',
    file: '',
    command: [process.execPath, '--input-type=module', '--eval'],
    here: true,
  },
  {
    language: 'python',
    file: 'client.py',
    command: ['python3'],
    here: works('python3', '-c', 'import requests'),
  },
  { language: 'go', file: 'client.go', command: ['go', 'run'], here: works('go', 'version') },
];

const user = {
  sub: 'u-alice',
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
};
const directory = parseDirectory({
  clients: [
    {
      client_id: 'pump-4',
      client_secret: 'example-secret-of-pump-4-for-localhost-only',
      client_name: 'Pump 4',
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  users: [user],
});

let host: SynthesizedHost;
const folder = mkdtempSync(join(tmpdir(), 'readme-'));
beforeAll(async () => {
  host = await startSynthesizedHost();
  await host.applyDirectory(directory, { prune: false });
});
afterAll(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true });
});

/** Waits for the one mail there is, and approves from it. */
async function approve(): Promise<void> {
  for (;;) {
    const { emails } = Object(await (await fetch(`${host.inbox}/store`)).json());
    const [link] = /https?:\/\/\S+/.exec(String(emails[0]?.body.text)) ?? [];
    if (link !== undefined) {
      await decide(link, 'approve');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What the program prints, its user having approved. */
async function outputOf({ language, file, command }: (typeof clients)[number]): Promise<string> {
  await fetch(`${host.inbox}/clear-store`, { method: 'POST' });
  const program = programIn(language).replaceAll('http://localhost:4010', host.issuer);
  const path = join(folder, file);
  if (file !== '') writeFileSync(path, program);
  const [executable = '', ...argv] = [...command, file === '' ? program : path];
  const child = spawn(executable, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (one) => (printed += one));
  const [[code]] = await Promise.all([once(child, 'close'), approve()]);
  return `${code} ${printed}`;
}

describe('P48: the client of README in', () => {
  it.each(clients)('$language is there', ({ language }) => {
    expect(programIn(language)).toContain('http://localhost:4010');
  });

  for (const client of clients) {
    it.skipIf(!client.here)(
      `${client.language} gets the approved tokens${client.here ? '' : ' (left out: this machine cannot run it)'}`,
      { timeout: 180_000 },
      async () => {
        const output = await outputOf(client);
        expect(output).toMatch(/^0 /);
        const [jwt] = /[\w-]+\.[\w-]+\.[\w-]+/.exec(output.slice(2)) ?? [];
        const claims =
          client.language === 'go' ? Buffer.from(jwt?.split('.')[1] ?? '', 'base64url') : output;
        expect(String(claims)).toMatch(/["']?sub["']?: ?["']u-alice["']/);
      },
    );
  }

  it.each(['openid-client', 'oauth4webapi'])(
    'the library %s, which README names, is driven by the black-box suite',
    (name) => {
      expect(section.split('\n## ')[0]).toContain(name);
      const file = name === 'openid-client' ? 'client-library' : name;
      expect(readFileSync(`test/black-box/${file}.test.ts`, 'utf8')).toContain(`from '${name}'`);
    },
  );
});
