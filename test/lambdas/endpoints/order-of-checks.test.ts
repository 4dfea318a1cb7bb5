/**
 * The order of the checks at each endpoint (CIBA Core 7.2, 10.1 and 11, RFC 6749 section 6, RFC
 * 9110): a request that fails two of them is answered with the error of the first. Each list is in
 * the order of the endpoint's own.
 */
import { describe, expect, it } from 'vitest';
import {
  CIBA_GRANT_TYPE,
  type Client,
  REFRESH_GRANT_TYPE,
} from '../../../lambdas/ciba/client/client.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import { metadataEndpoint } from '../../../lambdas/endpoints/metadata.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { logoPath } from '../../../lambdas/routes.ts';
import { exampleClient, exampleUser } from '../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import {
  formRequest,
  formTokenOf,
  issuer,
  providerInMemory,
} from '../../support/provider-in-memory.ts';

const scope = 'openid profile offline_access';
const bindingMessage = 'K7P-X4T';
const oneADay = { mailsPerUserPerDay: 1, mailsPerDay: 1 };

type Provider = ReturnType<typeof providerInMemory>;

/** A request that is about to be sent, and what happens before it is. */
interface Sending {
  method: string;
  path: string;
  headers: Record<string, string>;
  form: Record<string, string>;
  /** Stands behind the form, as it is. */
  more: string;
  decision: 'approve' | 'deny' | undefined;
  /** Seconds from the decision to the request. */
  after: number;
  /** Whether there is a poll just before the request. */
  isPolledBefore: boolean;
  client: Partial<Client>;
  user: Partial<User>;
  /** Whether both limits of asking are reached by then. */
  reached: { user?: boolean; day?: boolean };
  isGone: boolean;
}

/** A check: how a request fails it, and how that alone is answered. */
type Check = [name: string, fail: (sending: Sending) => void, answer: RegExp];

/** What is sent to an endpoint: a request that passes every check unless these changes fail it. */
type Send = (change: (sending: Sending) => void) => Promise<string>;

const plain = (path: string, form: Record<string, string>): Sending => ({
  method: 'POST',
  path,
  headers: {},
  form,
  more: '',
  decision: 'approve',
  after: 0,
  isPolledBefore: false,
  client: {},
  user: {},
  reached: {},
  isGone: false,
});

function requestOf({ method, path, headers, form, more }: Sending): Request {
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  const { headers: own } = formRequest('/', {});
  own.set('Content-Type', 'application/x-www-form-urlencoded');
  for (const [name, value] of Object.entries(headers)) own.set(name, value);
  const body = hasBody && { body: `${new URLSearchParams(form)}${more}` };
  return new Request(new URL(path, issuer), { method, headers: own, ...body });
}

function prepared(): Provider {
  const provider = providerInMemory({
    policies: { notificationPolicies: { byDefault: 'one', policies: { one: oneADay } } },
  });
  provider.directory.clients.set('pump-4', {
    ...exampleClient,
    ...{ scope, grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] },
  });
  return provider;
}

/** What happened to client, user and limits since, and time. */
async function passTime({ directory, quotas, now }: Provider, sending: Sending): Promise<void> {
  const client = directory.clients.get('pump-4') ?? exampleClient;
  directory.clients.set('pump-4', { ...client, ...sending.client });
  directory.users.set('u-alice', { ...exampleUser, ...sending.user });
  now.at += sending.after;
  const [clientId, at] = ['pump-4', now.at];
  const asked = { ref: 'another', clientId, at, expiresAt: at + 1 };
  if (sending.reached.user) {
    await quotas.countAsked({ sub: 'u-alice' }, asked, oneADay);
    await quotas.countAsked({ hint: 'nobody' }, asked, oneADay);
  }
  if (sending.reached.day) {
    const mail = { clientId, at, mailsPerDay: 1, hasDecoys: false, isDecoy: false };
    await quotas.countMail(mail);
  }
}

/**
 * Status, code and description of an answer, and the cause in the log, which tells apart what the
 * client is told alike.
 */
async function protocolAnswer({ log }: Provider, response: Response): Promise<string> {
  const { error, error_description: description = '' } = Object(await response.json());
  const text = String(description).replace(/ .Correlation ID.*/, '');
  return `${response.status} ${error}: ${text} (${log.at(-1)?.cause})`;
}

const sendToBackchannel: Send = async (change) => {
  const provider = prepared();
  const form = { scope, login_hint: 'alice', binding_message: bindingMessage };
  const sending = plain('/cibaAuthorization', form);
  change(sending);
  await passTime(provider, sending);
  return protocolAnswer(provider, await provider.authorize(requestOf(sending)));
};

const sendToToken =
  (grant_type: string): Send =>
  async (change) => {
    const provider = prepared();
    const auth_req_id = await provider.ask({ scope });
    const link = await provider.mailedLink(auth_req_id);
    const sending = plain('/token', { grant_type });
    change(sending);
    if (sending.decision) await provider.decide(link, sending.decision);
    if (grant_type === REFRESH_GRANT_TYPE) {
      const { body } = await provider.poll(auth_req_id);
      sending.form = { refresh_token: String(body['refresh_token']), ...sending.form };
    } else {
      sending.form = { auth_req_id, ...sending.form };
      if (sending.isPolledBefore) await provider.poll(auth_req_id);
    }
    await passTime(provider, sending);
    return protocolAnswer(provider, await provider.token(requestOf(sending)));
  };

/** Status, outcome and cause of the page's answer. */
const sendToPage =
  (method: string): Send =>
  async (change) => {
    const provider = prepared();
    const asked = { acr_values: `${issuer}/acr/code`, binding_message: bindingMessage };
    const link = await provider.mailedLink(await provider.ask(asked));
    const form_token = formTokenOf(await (await provider.approve(new Request(link))).text());
    const form = { form_token, decision: 'approve', code: bindingMessage };
    const sending = { ...plain(link, form), method, decision: undefined };
    change(sending);
    if (sending.decision) await provider.decide(link, sending.decision);
    await passTime(provider, sending);
    const { status } = await provider.approve(requestOf(sending));
    const { outcome, cause }: Partial<LogEvent> = provider.log.at(-1) ?? {};
    return `${status} ${outcome} (${cause})`;
  };

const sendToMetadata: Send = async (change) => {
  const path = logoPath('pump-4', 'h'.repeat(43));
  const sending = { ...plain(path, {}), method: 'GET' };
  change(sending);
  const answer = await metadataEndpoint({
    issuer,
    keys: { publicKeys: async () => [] },
    logos: { findLogo: async () => (sending.isGone ? undefined : new Uint8Array(8)) },
    clock: () => EXAMPLE_NOW,
    log: () => undefined,
  })(requestOf(sending));
  return String(answer.status);
};

const change =
  <Name extends keyof Sending>(name: Name, value: Sending[Name]) =>
  (sending: Sending) => {
    sending[name] = value;
  };
const add =
  (name: 'form' | 'headers' | 'client' | 'user' | 'reached', members: object) =>
  (sending: Sending) => {
    Object.assign(sending[name], members);
  };

/** What both endpoints of the protocol check of a form and its client. */
const formChecks: Check[] = [
  ['the method', change('method', 'PUT'), /^405 invalid_request/],
  ['the content coding', add('headers', { 'Content-Encoding': 'gzip' }), /^415 invalid_request/],
  ['the media type', add('headers', { 'Content-Type': 'text/plain' }), /^400 .*Content-Type/],
  ['the size', change('more', `&scope=x&scope=x&x=${'x'.repeat(17_000)}`), /^413 invalid_request/],
  ['a parameter once', change('more', '&scope=x&scope=x'), /^400 invalid_request: A parameter/],
  ['the client', add('headers', { Authorization: 'Basic eDp5' }), /^401 invalid_client/],
];
const authorizationDetails: Check = [
  'authorization_details',
  add('form', { authorization_details: '[]' }),
  /^400 invalid_authorization_details/,
];

const backchannelChecks: Check[] = [
  ...formChecks,
  ['the grant', add('client', { grant_types: [] }), /^400 unauthorized_client/],
  ['a signed request', add('form', { request: 'x' }), /^400 invalid_request: Signed/],
  authorizationDetails,
  ['scope', add('form', { scope: 'profile' }), /^400 invalid_scope/],
  ['one hint', add('form', { login_hint: 'x', id_token_hint: 'x' }), /^400 .*: Exactly one/],
  ['binding_message', add('form', { binding_message: '<' }), /^400 invalid_binding_.*position 1/],
  ['acr_values', add('form', { acr_values: `${issuer}/acr/none` }), /^400 .*: The parameter acr_/],
  [
    'a code that can be typed',
    ({ form, client }) => {
      form['binding_message'] = 'K';
      client.confirmation_level = 'code';
    },
    /^400 invalid_binding_message: .*fewer than/,
  ],
  ['requested_expiry', add('form', { requested_expiry: '0' }), /^400 .*: The requested_expiry/],
  [
    'the hint',
    ({ form }) => {
      delete form['login_hint'];
      form['login_hint_token'] = 'x';
    },
    /^400 invalid_request: The hint is not valid/,
  ],
  ['the limit of the user', add('reached', { user: true }), /^403 access_.*mailsPerUserPerDay/],
  ['the user', add('form', { login_hint: 'nobody' }), /^400 unknown_user_id/],
  ['the mails of the day', add('reached', { day: true }), /^403 access_denied.*mailsPerDay/],
];

const unknownHandle = `${'a'.repeat(26)}.${'s'.repeat(43)}`;

const cibaChecks: Check[] = [
  ...formChecks,
  ['grant_type', add('form', { grant_type: 'x' }), /^400 unsupported_grant_type/],
  ['the grant', add('client', { grant_types: [] }), /^400 unauthorized_client/],
  authorizationDetails,
  ['auth_req_id', add('form', { auth_req_id: '' }), /^400 invalid_request: The parameter auth_/],
  ['its form', add('form', { auth_req_id: 'x' }), /^400 invalid_grant.*malformed/],
  ['its request', add('form', { auth_req_id: unknownHandle }), /^400 invalid_grant.*not found/],
  ['no denial', change('decision', 'deny'), /^400 access_denied: The authorization request has/],
  ['the end', change('after', 200), /^400 expired_token/],
  [
    'the interval',
    (sending) => {
      sending.decision = undefined;
      sending.isPolledBefore = true;
    },
    /^400 slow_down/,
  ],
  ['the decision', change('decision', undefined), /^400 authorization_pending/],
  ['the user', add('user', { enabled: false }), /^400 access_denied: .*user_disabled/],
  ['the scope', add('client', { scope: 'openid' }), /^400 access_denied: The client is no longer/],
];

const refreshChecks: Check[] = [
  ...formChecks,
  ['grant_type', add('form', { grant_type: 'x' }), /^400 unsupported_grant_type/],
  ['the grant', add('client', { grant_types: [] }), /^400 unauthorized_client/],
  authorizationDetails,
  ['refresh_token', add('form', { refresh_token: '' }), /^400 invalid_request: The parameter/],
  ['its form', add('form', { refresh_token: 'x' }), /^400 invalid_grant.*malformed/],
  ['its request', add('form', { refresh_token: unknownHandle }), /^400 invalid_grant.*not found/],
  ['the user', add('user', { enabled: false }), /^400 invalid_grant: .*user_disabled/],
  ['the scope', add('form', { scope: 'email' }), /^400 invalid_scope/],
];

const link: Check = ['the link', change('path', '/approve/x'), /^404 unknown/];
const open: Check[] = [
  ['no decision before', change('decision', 'deny'), /^409 already_denied/],
  ['the client', add('client', { enabled: false }), /^410 withdrawn/],
  ['the end', change('after', 200), /^410 expired/],
];
const shownChecks: Check[] = [['the method', change('method', 'DELETE'), /^405/], link, ...open];
const decidedChecks: Check[] = [
  ['the method', change('method', 'PUT'), /^405 method/],
  link,
  ['our own page', add('headers', { Origin: 'https://evil.example' }), /^403 form/],
  ['a form', add('headers', { 'Content-Encoding': 'gzip' }), /^415 decision/],
  ['the form token', add('form', { form_token: 'x' }), /^403 form/],
  ['the decision', add('form', { decision: 'x' }), /^400 decision/],
  ...open,
  ['a code', add('form', { code: '' }), /^400 shown .code missing/],
  ['the code', add('form', { code: 'ZZZZ' }), /^400 shown .code wrong/],
  ['the address', add('user', { contact_version: 2 }), /^410 withdrawn/],
];

const metadataChecks: Check[] = [
  ['the address', change('path', '/nowhere'), /^404/],
  ['the method', change('method', 'PUT'), /^405/],
  ['the document', change('isGone', true), /^404/],
  ['what the caller has', add('headers', { 'If-None-Match': '*' }), /^304/],
];

const endpoints: [name: string, send: Send, checks: Check[]][] = [
  ['the backchannel authentication endpoint', sendToBackchannel, backchannelChecks],
  ['the token endpoint, CIBA grant', sendToToken(CIBA_GRANT_TYPE), cibaChecks],
  ['the token endpoint, refresh grant', sendToToken(REFRESH_GRANT_TYPE), refreshChecks],
  ['the approval page that is shown', sendToPage('GET'), shownChecks],
  ['the approval page that decides', sendToPage('POST'), decidedChecks],
  ['the metadata endpoint', sendToMetadata, metadataChecks],
];

describe.each(endpoints)('%s', (_endpoint, send, checks) => {
  it('answers with success what passes every check', async () => {
    expect(await send(() => undefined)).toMatch(/^200/);
  });

  it.each(checks)('checks %s', async (_name, fail, answer) => {
    expect(await send(fail)).toMatch(answer);
  });

  const pairs = checks.slice(0, -1).flatMap((first, index) => {
    const second = checks[index + 1];
    return second ? [[first[0], second[0], first, second] as const] : [];
  });
  it.each(pairs)(
    'checks %s before %s',
    async (_first, _second, [, failFirst, answer], [, failSecond]) => {
      const both = send((sending) => {
        failSecond(sending);
        failFirst(sending);
      });
      expect(await both).toMatch(answer);
    },
  );

  it('checks each before all that come after it', async () => {
    for (const [index, [name, , answer]] of checks.entries()) {
      const answered = await send((sending) => {
        for (const [, fail] of checks.slice(index).reverse()) fail(sending);
      });
      expect([name, answered]).toEqual([name, expect.stringMatching(answer)]);
    }
  });
});
