/**
 * README's list of the parameters that are read, ignored and refused (CIBA Core 7.2, RFC 6749 3.2),
 * walked at both endpoints and with both grants.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE } from '../../../lambdas/ciba/client/client.ts';
import { exampleClient } from '../../support/example-directory.ts';
import { formRequest, issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

interface Listed {
  name: string;
  isHeader: boolean;
  rules: { backchannel: string; token: string };
}

function readList(): Listed[] {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('### Read, ignored, refused');
  const table = (section.split('\n#')[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  return table.flatMap((line) => {
    const [, names = '', backchannel = '', token = ''] = line.split('|').map((cell) => cell.trim());
    return [...names.matchAll(/`([^`]+)`( \(header\))?/g)].map(([, name = '', header]) => ({
      name,
      isHeader: header !== undefined,
      rules: { backchannel, token },
    }));
  });
}

const listed = readList();
const scope = 'openid profile offline_access';
const code = 'K7P-X4T';

/** What a request is sent to, and with which parameters it succeeds. */
const requests = ['backchannel', CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] as const;
type RequestName = (typeof requests)[number];

/** Values that change the answer, or what is stored, wherever the name is read. */
const telling: Record<string, string> = {
  Authorization: 'Basic eDp5',
  scope: 'openid',
  login_hint: 'nobody',
  binding_message: 'A1B2C3',
  acr_values: `${issuer}/acr/code`,
  requested_expiry: '11',
};

/** Values that would mean something to a server that reads the name, and some that mean nothing. */
const odd = ['x', '[{}]', 'https://rs.example', '1234', 'none', `${issuer}/acr/code`];

function provider() {
  const made = providerInMemory();
  const grant_types = [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] as const;
  made.directory.clients.set('pump-4', { ...exampleClient, grant_types: [...grant_types], scope });
  return made;
}

/** The form with which the request succeeds. */
async function goodForm(made: ReturnType<typeof provider>, name: RequestName) {
  if (name === 'backchannel') return { scope, login_hint: 'alice', binding_message: code };
  const auth_req_id = await made.ask({ scope });
  await made.decide(await made.mailedLink(auth_req_id), 'approve');
  if (name === CIBA_GRANT_TYPE) return { grant_type: name, auth_req_id };
  const { body } = await made.poll(auth_req_id);
  return { grant_type: name, refresh_token: String(body['refresh_token']) };
}

/** What the request comes to with one thing added or changed, without what is random. */
async function outcomeOf(name: RequestName, changed?: Listed, value = '') {
  const made = provider();
  const form = await goodForm(made, name);
  const isForm = changed !== undefined && !changed.isHeader;
  const path = name === 'backchannel' ? '/cibaAuthorization' : '/token';
  const request = formRequest(path, { ...form, ...(isForm && { [changed.name]: value }) });
  if (changed?.isHeader) request.headers.set(changed.name, value);
  const response = await (name === 'backchannel' ? made.authorize(request) : made.token(request));
  const body: Record<string, unknown> = Object(await response.json());
  const stored = await made.requests.find(refOf(String(body['auth_req_id'] ?? '')));
  return {
    status: response.status,
    error: body['error'],
    members: Object.keys(body),
    plain: [body['expires_in'], body['interval'], body['token_type'], body['scope']],
    stored: stored && { ...stored, ref: '', secretHash: '' },
    lookUps: made.directory.lookUps,
  };
}

/** The rule of the list for this request, where a cell has one for a grant. */
function ruleOf({ rules }: Listed, name: RequestName): string {
  if (name === 'backchannel') return rules.backchannel;
  const { token } = rules;
  if (token.startsWith('read with the CIBA grant'))
    return name === CIBA_GRANT_TYPE ? 'read' : 'ignored';
  if (token.startsWith('read with `refresh_token`'))
    return name === REFRESH_GRANT_TYPE ? 'read' : 'ignored';
  return token;
}

it('P47: README has the list', () => {
  expect(listed.length).toBeGreaterThan(30);
  expect(new Set(listed.map(({ name }) => name)).size).toBe(listed.length);
});

describe.each(requests)('P47: at %s', (name) => {
  it.each(listed)('$name', async (one) => {
    const rule = ruleOf(one, name);
    const [, refusal] = /^refused: `(\w+)`$/.exec(rule) ?? [];
    const plain = await outcomeOf(name);
    expect(plain.status).toBe(200);
    if (refusal !== undefined) {
      for (const value of odd)
        expect(await outcomeOf(name, one, value)).toMatchObject({ status: 400, error: refusal });
    } else if (rule === 'read') {
      expect(await outcomeOf(name, one, telling[one.name] ?? 'x')).not.toEqual(plain);
    } else {
      expect(rule).toMatch(/^ignored/);
      for (const value of odd)
        expect([value, await outcomeOf(name, one, value)]).toEqual([value, plain]);
    }
    if (!one.isHeader && rule !== 'read') expect(await outcomeOf(name, one, '')).toEqual(plain);
  });

  it('a name that nobody knows is ignored', async () => {
    const plain = await outcomeOf(name);
    for (const foreign of ['foo', '__proto__', 'Scope', 'scope ', 'dpop_jkt']) {
      const one = { name: foreign, isHeader: false, rules: { backchannel: '', token: '' } };
      expect(await outcomeOf(name, one, 'x')).toEqual(plain);
    }
  });
});
