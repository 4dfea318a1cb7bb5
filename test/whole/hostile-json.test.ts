/**
 * JSON that comes from outside (RFC 7493, RFC 9493 3): one table of hostile documents before every
 * place that reads any, and no place that reads it otherwise than by the one strict reader (threat
 * T30).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../lambdas/ciba/client/client-assertion.ts';
import { JSON_DEPTH, parseStrictObject } from '../../lambdas/ciba/jwt/strict-json.ts';
import { publicHalf } from '../../lambdas/ciba/keys/signing-keys.ts';
import { mailEnvironment } from '../../lambdas/handlers/environments/mail.ts';
import { readEnvironment } from '../../lambdas/handlers/environments/read-environment.ts';
import { type LocalControl, serveControl } from '../../lib/local/serve-control.ts';
import { flowsOf } from '../../lib/operator/deployment/load-json-output.ts';
import { readDirectoryFile } from '../../lib/operator/directory/directory-file.ts';
import { judgeRows } from '../../lib/operator/directory/import-users.ts';
import { readUserFile } from '../../lib/operator/directory/user-file.ts';
import { errorOf } from '../../lib/operator/smoke/smoke-http.ts';
import { parseSettings } from '../../lib/stack/settings.ts';
import { exampleClient } from '../support/example-directory.ts';
import { generateClientKey, signJwt } from '../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../support/example-request.ts';
import { formRequest, issuer, providerInMemory } from '../support/provider-in-memory.ts';

/** The text of an object with another member at its end. */
function withMember(good: string, member: string): string {
  return good.replace(/\}$/, `,${member}}`);
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

/** The name of the first member, in escapes. */
function escapedName(good: string): string {
  const [name = ''] = Object.keys(JSON.parse(good));
  const escapes = [...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `"${escapes.join('')}"`;
}

function firstMember(good: string): { name: string; value: unknown } {
  const [[name, value] = ['', '']] = Object.entries<unknown>(JSON.parse(good));
  return { name, value };
}

/** What a lenient, an old or another reader takes, as a change to a good object. */
const hostile: [string, (good: string) => string][] = [
  [
    'a member twice, with one value',
    (good) => {
      const { name, value } = firstMember(good);
      return withMember(good, `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    },
  ],
  [
    'a member twice, with another value',
    (good) => withMember(good, `${JSON.stringify(firstMember(good).name)} : "x"`),
  ],
  ['a member twice, once in escapes', (good) => withMember(good, `${escapedName(good)}:"x"`)],
  ['a member twice in an object', (good) => withMember(good, '"x":{"a":1,"a":2}')],
  ['a member twice in a list', (good) => withMember(good, '"x":[[{"a":1,"b":[],"a":1}]]')],
  [
    'a member that only a prototype has',
    (good) => {
      const { [firstMember(good).name]: moved, ...rest } = JSON.parse(good);
      const prototype = JSON.stringify({ [firstMember(good).name]: moved });
      return Object.keys(rest).length === 0
        ? `{"__proto__":${prototype}}`
        : withMember(JSON.stringify(rest), `"__proto__":${prototype}`);
    },
  ],
  ['the prototype twice', (good) => withMember(good, '"__proto__":{},"__proto__":{}')],
  ['two marks before it', (good) => `\ufeff\ufeff${good}`],
  ['a mark inside', (good) => good.replace('{', '{\ufeff')],
  ['something after it', (good) => `${good} x`],
  ['another object after it', (good) => `${good}{}`],
  ['a brace after it', (good) => `${good}}`],
  ['a comma after its last member', (good) => good.replace(/\}$/, ',}')],
  ['NUL after it', (good) => `${good}\0`],
  ['nothing of its end', (good) => good.slice(0, -1)],
  ['a comment', (good) => good.replace('{', '{/* a */')],
  ['a comment at its end', (good) => `${good}// a`],
  ['single quotes', (good) => good.replaceAll('"', "'")],
  ['a name without quotes', (good) => withMember(good, 'x:1')],
  ['a list around it', (good) => `[[${good}]]`],
  ['a text around it', (good) => JSON.stringify(good)],
  ['the deepest nesting and one more', (good) => withMember(good, `"x":${nested(JSON_DEPTH)}`)],
  ['nesting for a stack to overflow', (good) => withMember(good, `"x":${nested(2000)}`)],
  ['half of a character', (good) => withMember(good, String.raw`"x":"\ud800"`)],
  ['the other half', (good) => withMember(good, String.raw`"x":["a\uDC00\ud800"]`)],
  ['half of a character in a name', (good) => withMember(good, String.raw`"\udfff":1`)],
  ['NUL in a text', (good) => withMember(good, '"x":"a\0"')],
  ['NUL in escapes', (good) => withMember(good, String.raw`"x":"a\u0000b"`)],
  ['NUL in a name', (good) => withMember(good, String.raw`"x\u0000":1`)],
  ['a line feed in a text', (good) => withMember(good, '"x":"a\nb"')],
  ['a number that is none', (good) => withMember(good, '"x":NaN')],
  ['a number without end', (good) => withMember(good, '"x":Infinity')],
  ['a number too large', (good) => withMember(good, '"x":1e400')],
  ['a number of 400 digits', (good) => withMember(good, `"x":-${'9'.repeat(400)}`)],
  ['a zero before a number', (good) => withMember(good, '"x":007')],
  ['a plus before a number', (good) => withMember(good, '"x":+1')],
  ['a hexadecimal number', (good) => withMember(good, '"x":0x1f')],
  ['a point without a digit', (good) => withMember(good, '"x":1.')],
  ['an unknown escape', (good) => withMember(good, String.raw`"x":"\x41"`)],
  ['nothing', () => ''],
];

/** A place that reads JSON. */
interface Place {
  where: string;
  /** An object that it takes. */
  good: string;
  takes(text: string): Promise<boolean>;
}

const pair = generateClientKey('ES256', { kid: 'k1' });
const { client_secret_hash: _none, ...bare } = exampleClient;
const keyClient: Client = {
  ...bare,
  client_id: 'key-client',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [pair.jwk] },
};

/** Whether a request with these parameters is acknowledged. */
async function isAcknowledged(parameters: Record<string, string>): Promise<boolean> {
  const made = providerInMemory({ publicKeys: [publicHalf('k1', 'ES256', pair.jwk)] });
  made.directory.clients.set('key-client', keyClient);
  made.directory.clients.set('pump-4', { ...exampleClient, jwks: { keys: [pair.jwk] } });
  const form: Record<string, string> = { scope: 'openid', ...parameters };
  const request =
    form['client_assertion'] !== undefined
      ? new Request(`${issuer}/cibaAuthorization`, {
          method: 'POST',
          body: new URLSearchParams(form),
        })
      : formRequest('/cibaAuthorization', form);
  return (await made.authorize(request)).status === 200;
}

function isAsserted(client_assertion: string): Promise<boolean> {
  return isAcknowledged({
    login_hint: 'alice',
    client_assertion_type: CLIENT_ASSERTION_TYPE,
    client_assertion,
  });
}

const times = { iat: EXAMPLE_NOW, exp: EXAMPLE_NOW + 60 };
const header = { alg: 'ES256', kid: 'k1' };
const assertion = { iss: 'key-client', sub: 'key-client', aud: issuer, jti: 'one', ...times };
const hint = { iss: 'pump-4', username: 'alice', aud: issuer, jti: 'one', ...times };
const idToken = { iss: issuer, sub: 'u-alice', aud: 'pump-4', ...times };

const jwts: Place[] = [
  {
    where: 'the header of a client assertion',
    good: JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'JWT' }),
    takes: (text) => isAsserted(signJwt(text as never, assertion, pair.privateKey, 'ES256')),
  },
  {
    where: 'the claims of a client assertion',
    good: JSON.stringify(assertion),
    takes: (text) => isAsserted(signJwt(header, text, pair.privateKey)),
  },
  {
    where: 'the claims of a login_hint_token',
    good: JSON.stringify(hint),
    takes: (text) => isAcknowledged({ login_hint_token: signJwt(header, text, pair.privateKey) }),
  },
  {
    where: 'the claims of an id_token_hint',
    good: JSON.stringify(idToken),
    takes: (text) =>
      isAcknowledged({ id_token_hint: signJwt({ ...header, typ: 'JWT' }, text, pair.privateKey) }),
  },
];

const folder = mkdtempSync(join(tmpdir(), 'hostile-json-'));
let control: LocalControl;
beforeAll(async () => {
  const actions = { replaceDirectory: async () => ({}), rotateKeys: async () => ({}) };
  control = await serveControl({ option: '--control-port', port: 0 }, actions, async () => {});
});
afterAll(async () => {
  await control.stop();
  rmSync(folder, { recursive: true });
});

/** Whether a file with this text is read without complaint. */
async function isRead(name: string, text: string, read: (path: string) => Promise<unknown>) {
  const path = join(folder, name);
  writeFileSync(path, text);
  try {
    return (await read(path)) !== false;
  } catch {
    return false;
  }
}

async function hasOneClient(path: string): Promise<boolean> {
  return (await readDirectoryFile(path)).clients.length === 1;
}

async function hasGoodUser(path: string): Promise<boolean> {
  const { valid, rejected } = judgeRows((await readUserFile(path)).rows);
  return valid.length === 1 && rejected.length === 0;
}

const user = JSON.stringify({ sub: 'u-alice', username: 'alice' });
const directory = JSON.stringify({ users: [{ sub: 'u-alice', username: 'alice' }] });

const others: Place[] = [
  {
    where: 'a login_hint of the format iss_sub',
    good: JSON.stringify({ format: 'iss_sub', iss: issuer, sub: 'u-alice' }),
    takes: (text) => (text === '' ? Promise.resolve(false) : isAcknowledged({ login_hint: text })),
  },
  {
    where: 'a directory file',
    good: directory,
    takes: (text) => isRead('directory.json', text, readDirectoryFile),
  },
  {
    where: 'a client in a directory file',
    good: JSON.stringify({
      client_id: 'pump-4',
      client_name: 'Pump',
      token_endpoint_auth_method: 'client_secret_basic',
    }),
    takes: (text) => isRead('clients.json', `{"clients":[${text}]}`, hasOneClient),
  },
  {
    where: 'a list of users to import',
    good: user,
    takes: (text) => isRead('users.json', `[${text}]`, hasGoodUser),
  },
  {
    where: 'a line of users to import',
    good: user,
    takes: (text) => isRead('users.jsonl', text, hasGoodUser),
  },
  {
    where: 'PUT /directory of the control server',
    good: directory,
    async takes(body) {
      const answer = await fetch(`http://127.0.0.1:${control.port}/directory`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      expect([200, 400]).toContain(answer.status);
      return answer.status === 200;
    },
  },
  {
    where: 'an environment variable',
    good: JSON.stringify({ 'a-template': ['en'] }),
    async takes(text) {
      const set = { ISSUER: issuer, DIRECTORY_TABLE: 'd', REQUESTS_TABLE: 'r', KEYS_TABLE: 'k' };
      const before = process.env;
      process.env = { ...set, SENDER: 's', CONFIGURATION_SET: 'c', TEMPLATES: text };
      try {
        const { TEMPLATES: locales } = readEnvironment(mailEnvironment);
        return [...locales.keys()].join() === 'a-template';
      } catch {
        return false;
      } finally {
        process.env = before;
      }
    },
  },
  {
    where: 'a setting of policies on the command line',
    good: JSON.stringify({ desk: {} }),
    async takes(text) {
      const parsed = parseSettings({ senderAddress: 'a@b.example', notificationPolicies: text });
      if ('mistakes' in parsed) return false;
      const { notificationPolicies } = parsed.settings;
      return Object.keys(notificationPolicies).join() === 'standard,none,desk';
    },
  },
  {
    where: 'an output of the stack',
    good: JSON.stringify({ 'ciba-flow': 'arn' }),
    async takes(text) {
      try {
        return Object.keys(flowsOf({ output: () => text })).join() === 'ciba-flow';
      } catch {
        return false;
      }
    },
  },
  {
    where: 'the answer of a provider that is tried',
    good: JSON.stringify({ error: 'slow_down' }),
    takes: async (text) => errorOf({ status: 400, text, headers: new Headers() }) !== undefined,
  },
];

describe.each([...jwts, ...others])('P45, T30: $where', ({ good, takes }) => {
  it('takes a good one, with any space', async () => {
    expect(await takes(good)).toBe(true);
    const spaced = good.replace('{', '{ ').replace(':', ' \t: ').replace(/\}$/, ' }');
    expect([spaced, await takes(spaced)]).toEqual([spaced, true]);
  });

  it.each(hostile)('takes none with %s', async (_what, bend) => {
    const text = bend(good);
    expect([text.slice(0, 300), await takes(text)]).toEqual([text.slice(0, 300), false]);
  });
});

describe('P45: a login_hint of the format iss_sub (RFC 9493 3.2.3)', () => {
  const { good, takes } = others[0] ?? { good: '', takes: async () => true };

  it.each([
    '"format":"iss_sub"',
    '"email":"bob@example.com"',
    '"aud":"x"',
    '"x":null',
    '"Sub":"u-bob"',
    '"__proto__":null',
    '"constructor":{}',
    '"":""',
  ])('has no other member, as %s', async (member) => {
    expect(await takes(withMember(good, member))).toBe(false);
  });

  it.each([
    { format: 'iss_sub', iss: issuer },
    { format: 'iss_sub', sub: 'u-alice' },
    { iss: issuer, sub: 'u-alice' },
    { format: 'opaque', iss: issuer, sub: 'u-alice' },
    { format: 'email', email: 'alice@example.com' },
    { format: ['iss_sub'], iss: issuer, sub: 'u-alice' },
    { format: 'iss_sub', iss: issuer, sub: ['u-alice'] },
    { format: 'ISS_SUB', iss: issuer, sub: 'u-alice' },
  ])('is not %j', async (members) => {
    expect(await takes(JSON.stringify(members))).toBe(false);
  });

  it('may have its members in any order, and a slash at the end of the issuer', async () => {
    const members = { sub: 'u-alice', iss: `${issuer}/`, format: 'iss_sub' };
    expect(await takes(JSON.stringify(members))).toBe(true);
  });
});

it('P45: what a prototype has is no member', () => {
  const members = parseStrictObject('{"__proto__":{"sub":"u-bob"},"iss":"x"}') ?? {};
  expect(members['sub']).toBeUndefined();
  expect(Object.getPrototypeOf(members)).toBe(Object.prototype);
  expect(Object.keys(members)).toEqual(['__proto__', 'iss']);
});

/**
 * Who reads JSON by itself: what this repository writes, and what AWS or the CDK reads in its own
 * way.
 */
const ownReaders: Record<string, string> = {
  'lambdas/ciba/jwt/strict-json.ts': 'is the reader',
  'lib/stack/bundle-sizes.ts': 'reads the assembly that was just made',
  'lib/demo/page-files.ts': 'reads what the build wrote',
  'lib/demo/read-inbox.ts': 'is a stranger: the demo imports nothing of the product',
  'lib/flows/flow-definitions.ts': 'reads the flows of this repository',
  'lib/local/template/check-state-machine.ts': 'reads a flow out of the assembly',
  'lib/local/describe-local-host.ts': 'prints commands',
  'lib/local/services/invoke-function.ts': 'stands for Lambda, which reads events in its own way',
  'lib/local/services/run-queues.ts': 'stands for SQS, which reads messages in its own way',
  'lib/local/services/serve-step-functions.ts':
    'stands for Step Functions, which reads calls in its own way',
  'lib/local/services/serve-tables.ts': 'stands for DynamoDB, which reads calls in its own way',
  'lib/parse-json.ts': 'reads for those of these who tell in words of their own what is none',
  'lib/local/template/read-assembly.ts': 'reads the assembly that was just made',
  'lib/local/template/read-stack.ts': 'reads the assembly that was just made',
  'lib/local/services/run-custom-resources.ts': 'reads what a function of the stack sent',
  'lib/local/services/run-functions.ts': 'reads what its own process sent',
  'lib/local/services/serve-inbox.ts': 'reads along what the mail library took',
  'lib/stack/provider-app.ts': 'reads cdk.json, which the CDK reads too',
};

it('P45: nothing else reads JSON by itself', () => {
  const found = ['lambdas', 'lib', 'bin'].flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(room, file))
      .filter((file) =>
        /JSON\.parse\(|\.json\(\)|parse-json\.ts'/.test(readFileSync(file, 'utf8')),
      ),
  );
  expect(found.toSorted()).toEqual(Object.keys(ownReaders).toSorted());
});
