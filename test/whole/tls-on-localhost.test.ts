/**
 * `--tls`: programs that insist on https are run as they are, against a local host whose CA they
 * are told of, and with their verification in place. Who does not know the CA gets nowhere.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fetchTrusting } from '../../lib/local/fetch-trusting.ts';
import { hiddenInputs } from '../black-box/authentication-device.ts';
import {
  type LocalProcess,
  loopbackHosts,
  portOptions,
  startLocalProcess,
} from '../support/local-process.ts';
import { busyness } from '../support/processor-time.ts';
import { synthesizedAssembly } from '../support/synthesized-assembly.ts';

const client = {
  client_id: 'terminal',
  client_secret: 'a-secret-of-a-terminal-for-this-test-only',
};
const directory = {
  clients: [
    {
      ...client,
      client_name: 'Terminal',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      scope: 'openid profile email offline_access',
    },
  ],
  users: [{ sub: 'u-ada', username: 'ada', email: 'ada@example.com', email_verified: true }],
};

let assembly: string;
beforeAll(async () => {
  assembly = await synthesizedAssembly(inject('runFolder'));
});

interface Run {
  code: unknown;
  stdout: string;
  stderr: string;
}

/** A program to its end, which trusts the CAs of the system, and those of this file. */
function run(program: string, argv: string[], extraCa?: string): Promise<Run> {
  const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
  const env = { ...environment, ...(extraCa && { NODE_EXTRA_CA_CERTS: extraCa }) };
  return new Promise((resolve) => {
    execFile(program, argv, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

describe('npm run local -- --headless --tls', () => {
  let folder: string;
  let local: LocalProcess;
  let host: { issuer: string; inbox: string; control: string; ca: string };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ciba-tls-'));
    const seed = join(folder, 'directory.json');
    await writeFile(seed, JSON.stringify(directory));
    local = startLocalProcess([
      ...['--headless', '--tls', '--seed', seed, '--assembly', assembly],
      ...(await portOptions(3)),
    ]);
    host = JSON.parse(await local.until(/\n/));
  });
  afterAll(async () => {
    local?.child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const runClient = (extraCa?: string) =>
    run(
      process.execPath,
      [
        ...['--import', 'tsx', 'test/support/https-client.ts', host.issuer, host.inbox],
        ...[client.client_id, client.client_secret, 'ada'],
      ],
      extraCa,
    );

  it('P50: its line of JSON has an https issuer and the file of the CA, in which there is no key', async () => {
    expect(host).toEqual({
      issuer: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      inbox: expect.stringMatching(/^http:\/\/localhost:\d+$/),
      control: expect.stringMatching(/^http:\/\/localhost:\d+$/),
      ca: expect.stringMatching(/^\/.*\.pem$/),
    });
    const blocks = (await readFile(host.ca, 'utf8')).match(/^-----BEGIN .*$/gm);
    expect(blocks).toEqual(['-----BEGIN CERTIFICATE-----']);
  });

  it('P50: unmodified libraries that force https take a request from its start to refreshed tokens', async () => {
    const { stdout, stderr } = await runClient(host.ca);
    const result = {
      firstPoll: 'authorization_pending',
      link: host.issuer,
      scope: 'openid offline_access',
      iss: host.issuer,
      sub: 'u-ada',
    };
    expect(stderr).toBe('');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { library: 'openid-client', ...result },
      { library: 'oauth4webapi', ...result },
    ]);
  });

  it('P50: a client that was not told of the CA does not get past the handshake', async () => {
    const { code, stdout, stderr } = await runClient();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/);
  });

  it('P50: curl trusts it with --cacert at each of its names, and not without', async (context) => {
    const { port } = new URL(host.issuer);
    const ask = (name: string, ...options: string[]) =>
      run('curl', ['--silent', '--noproxy', '*', ...options, `https://${name}:${port}/jwks`]);
    if ((await run('curl', ['--version'])).code !== 0) return context.skip();
    for (const name of ['localhost', ...loopbackHosts]) {
      const { code, stdout } = await ask(name, '--cacert', host.ca);
      expect([code, JSON.parse(stdout)]).toEqual([0, { keys: expect.any(Array) }]);
    }
    // "Peer certificate cannot be authenticated with known CA certificates."
    expect(await ask('localhost')).toMatchObject({ code: 60, stdout: '' });
  });

  it.each([
    ['a request of plain http', 'GET /jwks HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['something else', '\0\0\0'],
    ['half a greeting', '\x16\x03\x01\x02\x00\x01\x00'],
  ])('P50: answers nothing useful to %s, and goes on', async (_, bytes) => {
    const { port } = new URL(host.issuer);
    const socket = connect({ host: 'localhost', port: Number(port) }).on('error', () => {});
    let answered = '';
    socket.on('data', (chunk) => (answered += chunk.toString('latin1')));
    socket.end(bytes, 'latin1');
    await once(socket, 'close');
    expect(answered).not.toContain('HTTP/');
    const trusting = fetchTrusting(await readFile(host.ca, 'utf8'));
    const { status } = await trusting(`${host.issuer}/jwks`, {
      method: 'GET',
      headers: {},
      body: null,
    });
    expect(status).toBe(200);
  });

  it('P50: ends within two seconds, also with connections that never greeted, and removes the CA', async () => {
    const { port } = new URL(host.issuer);
    const idle = connect({ host: '127.0.0.1', port: Number(port) }).on('error', () => {});
    await once(idle, 'connect');
    const inTime = 2000 * busyness();
    const endedAt = Date.now();
    local.child.kill('SIGTERM');
    expect(await local.ended).toBe(0);
    expect(Date.now() - endedAt).toBeLessThan(inTime);
    await expect(access(dirname(host.ca))).rejects.toThrow('ENOENT');
  });
});

describe('npm start -- --tls', () => {
  let local: LocalProcess;
  let text: string;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ciba-tls-'));
    const options = ['--tls', '--data', folder, '--assembly', assembly];
    local = startLocalProcess([...options, ...(await portOptions(4))]);
    text = await local.until(/doctor\n/);
  });
  afterAll(async () => {
    local?.child.kill('SIGTERM');
    await local?.ended;
    await rm(folder, { recursive: true });
  });

  it('P50: prints what makes Node trust the CA, which --data keeps, and commands that do', () => {
    const file = join(folder, 'ca.pem');
    expect(text).toMatch(new RegExp(`^ *NODE_EXTRA_CA_CERTS=${file}$`, 'm'));
    expect(text).toContain(`NODE_EXTRA_CA_CERTS=${file} AWS_ENDPOINT_URL=`);
    expect(text.match(/curl .*https:/g)).toEqual([
      `curl -s --cacert ${file} https:`,
      `curl -s --cacert ${file} https:`,
    ]);
  });

  it('P50: the pump trusts the CA, and sells', async () => {
    const [demo] = text.match(/http:\/\/\S+/) ?? [];
    const sale = { sale: crypto.randomUUID(), amount: '52.30', user: 'alice', view: 'story' };
    const body = new URLSearchParams(sale);
    const { url: story } = await fetch(`${demo}/`, { method: 'POST', body });
    const shown = async (pattern: RegExp) => {
      for (;;) {
        const found = pattern.exec(await (await fetch(story)).text());
        if (found) return found[0];
        await sleep(200);
      }
    };
    const link = await shown(/https:\/\/localhost:\d+\/approve\/[\w.-]+/);
    const trusting = fetchTrusting(await readFile(join(folder, 'ca.pem'), 'utf8'));
    const send = async (method: string, form?: URLSearchParams) => {
      const response = await trusting(link, { method, headers: {}, body: form });
      const { status, headers } = response;
      return { status, headers, html: await response.text() };
    };
    const inputs = hiddenInputs(await send('GET'));
    const decision = { ...inputs, decision: 'approve' };
    expect((await send('POST', new URLSearchParams(decision))).status).toBe(200);
    await shown(/u-alice/);
  });
});
