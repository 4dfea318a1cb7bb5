/**
 * What must stay where it belongs, proved with canaries (threats T26; invariant I13): every
 * personal datum, text and secret is a known text here, is put through every path and every fault
 * there is, and is then looked for in all log lines, in all data of the flow, in all answers that
 * are errors, and in every stored item.
 */
import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBase64url, readOrigin } from '../../lambdas/aws/compact-forms.ts';
import { generateSigningKey } from '../../lambdas/aws/generate-signing-key.ts';
import { keyStore } from '../../lambdas/aws/keys-table.ts';
import { CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE } from '../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../lambdas/ciba/client/client-assertion.ts';
import type { OAuthErrorCode } from '../../lambdas/ciba/oauth-error.ts';
import { metadataEndpoint } from '../../lambdas/endpoints/metadata.ts';
import { createLog, type LogEvent } from '../../lambdas/log.ts';
import { revokeRefreshTokenTask } from '../../lambdas/tasks/revoke-refresh-token.ts';
import { type RotateKeysDeps, rotateKeysTask } from '../../lambdas/tasks/rotate-keys.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { eventually } from '../support/eventually.ts';
import { generateClientKey, signJwt } from '../support/example-jwts.ts';
import { formRequest, issuer, providerInMemory } from '../support/provider-in-memory.ts';
import { throwQuoting } from '../support/quoting-errors.ts';
import { type RecordedCalls, recordCalls } from '../support/recorded-calls.ts';
import { bounce, complaint, sesEvent } from '../support/ses-events.ts';
import { startSynthesizedHost } from '../support/synthesized-host.ts';
import {
  startWatchedProvider,
  type WatchedProvider,
  watchedIssuer,
} from '../support/watched-provider.ts';

/** The texts of which none may get out; filled in as they come to be. */
const canaries = new Map<string, string>();

function keep(what: string, text: string): string {
  canaries.set(`${what} ${text.slice(0, 6)}…`, text);
  return text;
}

const user = {
  sub: keep('subject', 'u-canary-7Hq2'),
  username: keep('user name', 'canary.username'),
  email: keep('mail address', 'canary.address@example.com'),
  email_verified: true,
  name: keep('name', 'Canary Ünsal O’Name'),
};
const ghost = keep('unknown user name', 'canary.of.nobody');
const secrets = {
  basic: keep('client secret', 'cAnArY/Basic+Secret=Xq7vK2mWz9RtY4bN8cJ5'),
  post: keep('client secret', 'cAnArY-Post-Secret-hG3fD6sL1pQ0mB4xT8nZ2'),
  mac: keep('client secret', 'cAnArY-Mac-Secret-kV6wQ1rC9yH5jS3gF7dL0pA'),
  /** One that has the form of a client id too. */
  tame: keep('client secret', 'cAnArY-Tame-Secret-pW3xZ8vB6nM1qL4kJ7hG'),
  wrong: keep('wrong client secret', 'cAnArY-Wrong-Secret-aS5dF6gH7jK8lZ9xC0vB'),
};
const bindingMessage = keep('binding message', 'CANARY pump 4711, 50 EUR & "more"');
const typedCode = keep('typed code', 'CANARY typed 0815');
const browser = keep('browser', 'Canary/7.4711 (one browser in the world)');
const sourceIp = keep('address of the browser', '203.0.113.47');
const forwardedFor = keep('forwarded address', '198.51.100.47');
const clientKey = generateClientKey('ES256', { kid: 'k1' });
keep('client private key', String(clientKey.privateKey.export({ format: 'jwk' }).d));

const scope = 'openid profile email offline_access';
const registered = {
  token_endpoint_auth_method: 'client_secret_basic',
  client_name: 'A client',
  grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
  scope,
  id_token_signed_response_alg: 'ES256',
  interval: 1,
};
const directory = parseDirectory({
  clients: [
    { ...registered, client_id: 'basic-1', client_secret: secrets.basic },
    {
      ...registered,
      client_id: 'post-1',
      client_secret: secrets.post,
      token_endpoint_auth_method: 'client_secret_post',
      unknown_user: 'decoy',
      failed_flow: 'deny',
    },
    {
      ...registered,
      client_id: 'mac-1',
      client_secret: secrets.mac,
      token_endpoint_auth_method: 'client_secret_jwt',
    },
    {
      ...registered,
      client_id: 'key-1',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [clientKey.jwk] },
    },
    {
      ...registered,
      client_id: 'code-1',
      client_secret: secrets.basic,
      confirmation_level: 'code',
    },
    {
      ...registered,
      client_id: 'narrow-1',
      client_secret: secrets.basic,
      grant_types: [REFRESH_GRANT_TYPE],
      scope: 'openid',
    },
  ],
  users: [user],
});

type Form = Record<string, string>;
type ClientId = 'basic-1' | 'post-1' | 'mac-1' | 'key-1' | 'code-1' | 'narrow-1';

let made: WatchedProvider;
beforeAll(async () => {
  made = await startWatchedProvider(directory);
});
afterAll(() => made.stop());

let serial = 0;

/** A JWT of a client, itself a canary, with its `jti`. */
function clientJwt(what: string, clientId: ClientId, changes: object = {}): string {
  serial += 1;
  const jti = keep(`jti of ${what}`, `canary-jti-${serial}-${'x'.repeat(20)}`);
  const at = Math.floor(made.now.at);
  const claims = { iss: clientId, sub: clientId, aud: watchedIssuer, iat: at, exp: at + 60, jti };
  const all = { ...claims, ...changes };
  const secret = clientId === 'mac-1' ? secrets.mac : secrets.basic;
  const jwt =
    clientId === 'key-1'
      ? signJwt({ alg: 'ES256', kid: 'k1' }, all, clientKey.privateKey)
      : signJwt({ alg: 'HS256' }, all, secret);
  const [, payload = '', signature = ''] = jwt.split('.');
  keep(`${what} claims`, payload);
  keep(`${what} signature`, signature);
  return jwt;
}

function formOf(clientId: ClientId, form: Form, secret?: string): Request['body'] | RequestInit {
  const headers: Record<string, string> = {};
  const body = new URLSearchParams(form);
  if (clientId === 'post-1') {
    body.set('client_id', clientId);
    body.set('client_secret', secret ?? secrets.post);
  } else if (clientId === 'mac-1' || clientId === 'key-1') {
    body.set('client_assertion_type', CLIENT_ASSERTION_TYPE);
    body.set('client_assertion', secret ?? clientJwt('client assertion', clientId));
  } else {
    const pair = [clientId, secret ?? secrets.basic].map(encodeURIComponent).join(':');
    headers['Authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return { method: 'POST', body, headers };
}

/** POSTs a form of a client, with its own credentials or others; the answer's JSON. */
async function post(path: string, clientId: ClientId, form: Form, secret?: string) {
  const init = Object(formOf(clientId, form, secret));
  const { status, text } = await made.send(new Request(watchedIssuer + path, init));
  return { status, body: Object(JSON.parse(text.slice(text.indexOf('\n') + 1))) };
}

/** Asks; what comes back and what is mailed is kept as canaries. */
async function ask(clientId: ClientId, form: Form = {}) {
  const asked = { scope, binding_message: bindingMessage, ...form };
  if (!Object.keys(form).some((name) => name.includes('hint'))) {
    Object.assign(asked, { login_hint: user.email });
  }
  const answer = await post('/cibaAuthorization', clientId, asked);
  const authReqId = String(answer.body.auth_req_id);
  const [, secret] = authReqId.split('.');
  if (secret !== undefined) keep('auth_req_id secret', secret);
  await made.runFlows();
  keepMails();
  return { ...answer, authReqId, link: linkOf(made.mails.at(-1)) };
}

function linkOf(mail: unknown): string {
  const data = JSON.parse(Object(mail).Content?.Template?.TemplateData ?? '{}');
  return String(data.magicLink);
}

function keepMails(): void {
  for (const mail of made.mails) {
    const [, secret] = linkOf(mail).split('/').at(-1)?.split('.') ?? [];
    if (secret !== undefined) keep('link token', secret);
  }
}

function poll(clientId: ClientId, auth_req_id: string, form: Form = {}) {
  return post('/token', clientId, { grant_type: CIBA_GRANT_TYPE, auth_req_id, ...form });
}

async function decide(
  link: string,
  decision: string,
  headers: Form = {},
  formToken?: string,
  typed: Form = {},
) {
  const { text } = await made.send(new Request(link));
  const shown = /name="form_token" value="([^"]+)"/.exec(text)?.[1];
  if (shown !== undefined) keep('form token', shown);
  const body = new URLSearchParams({
    form_token: formToken ?? shown ?? 'none',
    decision,
    ...typed,
  });
  const sent = { 'User-Agent': browser, 'X-Forwarded-For': forwardedFor, ...headers };
  return made.send(new Request(link, { method: 'POST', body, headers: sent }), { sourceIp });
}

/** Asks, approves and redeems; every token is kept. */
async function redeem(clientId: ClientId) {
  const { authReqId, link } = await ask(clientId);
  await decide(link, 'approve');
  made.now.at += 2;
  const answer = await poll(clientId, authReqId);
  keepTokens(answer.body);
  return { authReqId, ...answer };
}

function keepTokens(body: Record<string, unknown>): void {
  for (const name of ['access_token', 'id_token', 'refresh_token']) {
    const parts = String(body[name] ?? '').split('.');
    if (parts.length > 1) for (const part of parts.slice(1)) keep(name, part);
  }
}

function refresh(clientId: ClientId, refresh_token: string, form: Form = {}) {
  return post('/token', clientId, { grant_type: REFRESH_GRANT_TYPE, refresh_token, ...form });
}

const everyCode: OAuthErrorCode[] = [
  'invalid_request',
  'invalid_scope',
  'unknown_user_id',
  'expired_login_hint_token',
  'unauthorized_client',
  'invalid_binding_message',
  'invalid_authorization_details',
  'invalid_client',
  'access_denied',
  'unsupported_grant_type',
  'invalid_grant',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'server_error',
  'temporarily_unavailable',
];

describe('with canaries in every input', () => {
  it('goes every way there is', async () => {
    for (const clientId of ['basic-1', 'post-1', 'mac-1', 'key-1'] as const) {
      await everyOutcome(clientId);
    }
    await everyClientFault();
    await everyTypedCode();
    await everyPage();
    await everyMail();
    await everyFault();
    await everyNews();
    await keepStoredSecrets();
    const statuses = [...new Set(made.answers.map(({ status }) => status))].toSorted();
    expect(statuses).toEqual([200, 204, 400, 401, 403, 404, 405, 409, 410, 413, 500, 503]);
    const codes = made.answers.flatMap(({ text }) => /"error":"(\w+)"/.exec(text)?.[1] ?? []);
    expect([...new Set(codes)].toSorted()).toEqual([...everyCode].toSorted());
  });

  it('wrote log lines, and none of the canaries in any', () => {
    expect(made.lines.length).toBeGreaterThan(200);
    expect(findCanaries(made.lines)).toEqual([]);
  });

  it('says where each fault was thrown, in a file and at a position of ours', () => {
    const faults = made.lines
      .filter((line) => /"level":"ERROR"/.test(line))
      .map((line) => JSON.parse(line));
    expect(faults.length).toBeGreaterThan(30);
    for (const { at = [] } of faults) {
      expect(at).not.toEqual([]);
      expect(at.filter((frame: string) => !ownFrame.test(frame))).toEqual([]);
    }
  });

  it('ran the flow, and gave none of the canaries to it or from state to state', () => {
    expect(made.flow.length).toBeGreaterThan(200);
    expect(findCanaries(made.flow)).toEqual([]);
  });

  it('answered errors, and none of the canaries in any', () => {
    const errors = made.answers.filter(({ status }) => status >= 400);
    expect(errors.length).toBeGreaterThan(100);
    // A page that asks for the code again has its form, which is for whoever holds the link.
    const told = errors.map(({ text }) =>
      text.includes('id="fault"') ? text.replace(/(?<=form_token" value=")[^"]+/, '') : text,
    );
    expect(findCanaries(told)).toEqual([]);
  });

  it('told CloudFormation why no keys were made, and none of the keys', () => {
    expect(made.told.join()).toContain('"Status":"FAILED"');
    expect(findCanaries(made.told)).toEqual([]);
  });

  it('stored each where it belongs and nowhere else', async () => {
    const found = new Set<string>();
    for (const { key, text } of await storedItems()) {
      for (const [what] of canariesIn(text)) found.add(`${what.replace(/ \S+…$/, '')}: ${key}`);
    }
    expect([...found].toSorted()).toEqual(
      [
        'binding message: requests',
        // The watched provider keeps all of it (P10).
        'browser: requests',
        'address of the browser: requests',
        'link nonce: requests',
        'subject: requests',
        'mail address: directory user#',
        'name: directory user#',
        'subject: directory user#',
        'user name: directory user#',
        'mail address: directory login#',
        'subject: directory login#',
        'user name: directory login#',
        'link key: keys link',
        'wrapping key: keys wrap',
        'private key: keys signing#ES256',
        'private key: keys signing#RS256',
      ].toSorted(),
    );
  });
});

describe('with canaries in what is thrown', () => {
  const throwers = throwQuoting({
    text: [user.email, bindingMessage, secrets.basic].join(' '),
    position: keep('number that has the form of a position', '4711081547:2031'),
  });

  it.each(Object.entries(throwers))(
    'no edge tells one of %s, and each frame is one of ours',
    async (_what, thrower) => {
      const { lines, told } = await everyEdge(thrower);
      expect(lines).toHaveLength(10);
      expect(findCanaries([...lines, ...told])).toEqual([]);
      const events: LogEvent[] = lines.map((line) => JSON.parse(line));
      const frames = events.flatMap(({ at = [] }) => at);
      expect(frames.filter((frame) => !ownFrame.test(frame))).toEqual([]);
    },
  );

  it('every edge says where', async () => {
    const { lines } = await everyEdge(() => {
      throw new Error();
    });
    expect(lines.filter((line) => !line.includes('"at":["'))).toEqual([]);
  });
});

/** A frame as this process has it, which bundles nothing. */
const ownFrame = /^(?:aws|endpoints|http|tasks)\/[a-z-]+\.ts:\d{1,4}:\d{1,4}$/;

/**
 * Has the stores fail under every edge that logs: its lines, and what the endpoints answer and the
 * tasks throw.
 */
async function everyEdge(fail: () => never): Promise<{ lines: string[]; told: string[] }> {
  const failing = { create: fail, find: fail, stampPoll: fail, claimMail: fail, fail };
  const provider = providerInMemory({ requests: failing });
  const deps = {
    clock: () => provider.now.at,
    log: (event: LogEvent) => void provider.log.push(event),
  };
  const metadata = metadataEndpoint({
    ...deps,
    issuer,
    keys: { publicKeys: fail },
    logos: { findLogo: fail },
  });
  const revoke = revokeRefreshTokenTask({ ...deps, requests: { revoke: fail } });
  const ref = 'a'.repeat(26);
  const auth_req_id = `${ref}.${'b'.repeat(43)}`;
  const polled = { grant_type: CIBA_GRANT_TYPE, auth_req_id };
  const told: string[] = [];
  for (const response of [
    await provider.authorize(formRequest('/cibaAuthorization', { scope, login_hint: 'alice' })),
    await provider.token(formRequest('/token', polled)),
    await provider.approve(new Request(`${issuer}/approve/${auth_req_id}`)),
    await metadata(new Request(`${issuer}/jwks`)),
  ]) {
    expect(response.status).toBeGreaterThanOrEqual(500);
    told.push(await response.text());
  }
  for (const run of [
    () => provider.locateUser({ ref }),
    () => provider.mail({ ref, templateName: 'a-template' }),
    () => provider.recordFailure({ ref }),
    () => provider.mailFeedback(sesEvent(ref, bounce('Permanent', 'General'))),
    () => revoke({ ref }),
  ]) {
    const { name, message, stack } = Object(await run().catch((error: unknown) => error));
    told.push(name, message, stack);
  }
  await failingRotation(deps, fail);
  const lines: string[] = [];
  const log = createLog(
    (line) => lines.push(line),
    () => undefined,
  );
  for (const event of provider.log) log(event);
  return { lines, told };
}

/**
 * An operator who rotates the keys is told the error itself: Lambda answers it to whoever may call
 * the function.
 */
async function failingRotation(
  deps: Pick<RotateKeysDeps, 'clock' | 'log'>,
  signingKeys: () => never,
): Promise<void> {
  const keys = keyStore(made.tables.client, 'keys', 'directory');
  const entropy = (bytes: number) => new Uint8Array(bytes);
  const rotation = { ...deps, keys: { ...keys, signingKeys }, generateSigningKey, entropy };
  let isRefused = false;
  await rotateKeysTask({ ...rotation, periodSeconds: 1 })({ rotate: 'now' }).catch(() => {
    isRefused = true;
  });
  expect(isRefused).toBe(true);
}

describe('with canaries on the local host', () => {
  it('no line of any bundled function and no start of the flow holds one', async () => {
    const lines: string[] = [];
    const services = recordCalls();
    const host = await startSynthesizedHost({
      interpose: services.interpose,
      // Requests are lines of the host; these are all that the functions and the flow leave.
      log: (kind, line) => kind !== 'request' && lines.push(line),
    });
    try {
      await host.applyDirectory(directory, { prune: true });
      await everyPathOf(host.issuer, services);
      await eventually(() => expect(lines.join()).toMatch(/"event":"mail","outcome":"sent"/));
    } finally {
      await host.stop();
      await services.stop();
    }
    for (const event of ['backchannel_authentication', 'token', 'approve', 'locate_user', 'mail']) {
      expect(lines.filter((line) => line.includes(`"event":"${event}"`))).not.toEqual([]);
    }
    const starts = services.calls.filter(({ action }) => action === 'states:StartExecution');
    expect(starts.length).toBeGreaterThan(0);
    expect(findCanaries([...lines, ...starts.map(({ input }) => JSON.stringify(input))])).toEqual(
      [],
    );
  });
});

/**
 * One request asked for, approved, redeemed, refreshed and replayed, and what is refused on the
 * way.
 */
async function everyPathOf(issuer: string, { calls }: RecordedCalls): Promise<void> {
  const send = async (path: string, form: Form, secret = secrets.basic) => {
    const init = Object(formOf('basic-1', form, secret));
    return Object(await (await fetch(issuer + path, init)).json());
  };
  const asked = { scope, login_hint: user.email, binding_message: bindingMessage };
  await send('/cibaAuthorization', asked, secrets.wrong);
  await send('/cibaAuthorization', { ...asked, login_hint: ghost });
  await send('/cibaAuthorization', { ...asked, scope: user.email });
  const { auth_req_id } = await send('/cibaAuthorization', asked);
  keep('auth_req_id secret', String(auth_req_id).slice(27));
  const polled = { grant_type: CIBA_GRANT_TYPE, auth_req_id };
  await send('/token', polled);

  const mail = await eventually(() => {
    const sent = calls.find(({ action }) => action === 'ses:SendEmail');
    if (!sent) throw new Error('no mail yet');
    return sent;
  });
  const link = linkOf(mail.input);
  keep('link token', link.slice(-43));
  const shown = /name="form_token" value="([^"]+)"/.exec(await (await fetch(link)).text())?.[1];
  const body = new URLSearchParams({
    form_token: keep('form token', shown ?? ''),
    decision: 'approve',
  });
  expect((await fetch(link, { method: 'POST', body })).status).toBe(200);
  await fetch(`${issuer}/approve/${auth_req_id}`);

  const tokens = await eventually(async () => {
    const answer = await send('/token', polled);
    if (answer.access_token === undefined) throw new Error(String(answer.error));
    return answer;
  }, 1100);
  keepTokens(tokens);
  await send('/token', polled);
  const refreshing = { grant_type: REFRESH_GRANT_TYPE, refresh_token: tokens.refresh_token };
  keepTokens(await send('/token', refreshing));
  await send('/token', { ...refreshing, scope: user.email });
  await send('/cibaAuthorization', { scope, id_token_hint: tokens.id_token });
}

/** All outcomes of both endpoints that depend on what is asked. */
async function everyOutcome(clientId: ClientId): Promise<void> {
  const { now } = made;
  const pending = await ask(clientId);
  await poll(clientId, pending.authReqId);
  await poll(clientId, pending.authReqId);
  await decide(pending.link, 'deny');
  now.at += 8;
  await poll(clientId, pending.authReqId);

  const { authReqId, body } = await redeem(clientId);
  expect(body).toHaveProperty('refresh_token');
  const refreshToken = String(body.refresh_token);
  keepTokens((await refresh(clientId, refreshToken)).body);
  await refresh(clientId, refreshToken, { scope: user.email });
  await refresh('narrow-1', refreshToken);
  await refresh(clientId, `${refreshToken.slice(0, -1)}_`);
  await poll('narrow-1', authReqId);
  await ask(clientId, { id_token_hint: String(body.id_token) });
  await ask(clientId, { id_token_hint: String(body.access_token) });
  now.at += 15;
  await poll(clientId, authReqId);
  await refresh(clientId, refreshToken);

  const hint = { sub: undefined, email: user.email };
  const token = clientJwt('login_hint_token', clientId, hint);
  await ask(clientId, { login_hint_token: token });
  await ask(clientId, { login_hint_token: token });
  const ended = { ...hint, exp: Math.floor(now.at) - 100 };
  await ask(clientId, { login_hint_token: clientJwt('login_hint_token', clientId, ended) });
  await ask(clientId, { login_hint: ghost });
  await ask(clientId, { login_hint: user.username, id_token_hint: user.email });
  await ask(clientId, { login_hint: `${user.email} ${'x'.repeat(400)}` });
  await ask(clientId, { binding_message: `${bindingMessage} https://example.com/` });
  await ask(clientId, { scope: `openid ${user.username}` });
  await ask(clientId, { requested_expiry: user.username });
  await ask(clientId, { request: user.email });
  await post('/token', clientId, { grant_type: user.email });
  await post('/token', clientId, { email: user.email });
  await poll(clientId, pending.authReqId.toUpperCase());

  const late = await ask(clientId);
  now.at += 200;
  await poll(clientId, late.authReqId);
  await decide(late.link, 'approve');
}

/**
 * Codes that are missing, wrong, right, and wrong for the last time; here neither pages nor mail
 * show the message.
 */
async function everyTypedCode(): Promise<void> {
  const from = made.answers.length;
  const links = [await ask('code-1'), await ask('code-1')].map(({ link }) => link);
  const [first = '', second = ''] = links;
  for (const code of ['', typedCode, bindingMessage.toLowerCase()]) {
    await decide(first, 'approve', {}, undefined, { code });
  }
  for (const code of [typedCode, typedCode, typedCode]) {
    await decide(second, 'approve', {}, undefined, { code });
  }
  const pages = made.answers.slice(from).map(({ text }) => text);
  expect(pages.join()).toContain('<h1>Approved</h1>');
  expect(pages.join()).toContain('The code was wrong three times');
  expect([...pages, JSON.stringify(made.mails.slice(-2))].join()).not.toMatch(
    /CANARY (?:pump|typed)/i,
  );
}

/** What fails before there is a client, and a client that may not. */
async function everyClientFault(): Promise<void> {
  const asked = { scope, login_hint: user.email };
  await ask('narrow-1');
  await ask('basic-1', {
    login_hint: user.email,
    authorization_details: `[{"type":"${user.email}"}]`,
  });
  for (const path of ['/cibaAuthorization', '/token']) {
    await post(path, 'basic-1', asked, secrets.wrong);
    await post(path, 'post-1', asked, secrets.wrong);
    await everySecretInAnIdsPlace(path);
    const jwt = clientJwt('client assertion', 'key-1');
    await post(path, 'key-1', { ...asked, client_id: user.email }, jwt);
    await post(path, 'key-1', asked, jwt);
    await post(path, 'key-1', asked, jwt);
    await post(path, 'key-1', asked, `${jwt.slice(0, -2)}AA`);
    await post(path, 'mac-1', asked, clientJwt('client assertion', 'basic-1'));
    await post(path, 'basic-1', { ...asked, client_secret: secrets.basic });
    await post(path, 'basic-1', { ...asked, large: user.email.repeat(1000) });
    const url = `${watchedIssuer}${path}`;
    await made.send(new Request(`${url}?email=${user.email}`));
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = `login_hint=${user.email}&login_hint=${user.email}&%zz=${secrets.wrong}`;
    await made.send(new Request(url, { method: 'POST', body, headers: type }));
    await made.send(new Request(url, { method: 'POST', body: `{"${user.email}":1}` }));
  }
  await made.send(new Request(`${watchedIssuer}/jwks?${user.email}`));
  await made.send(new Request(`${watchedIssuer}/${user.email}`));
}

/**
 * Id and secret in each other's place, free text in the place of an id, and what else a header can
 * hold.
 */
async function everySecretInAnIdsPlace(path: string): Promise<void> {
  const swapped = [secrets.tame, 'basic-1'].map(encodeURIComponent).join(':');
  const headers = [
    `Basic ${Buffer.from(swapped).toString('base64')}`,
    `Basic ${Buffer.from(`${user.email}:${secrets.wrong}`).toString('base64')}`,
    `Basic ${secrets.basic}`,
    `Basic ${secrets.tame}`,
    `Bearer ${secrets.basic}`,
    `${secrets.basic}`,
  ];
  for (const Authorization of headers) {
    await made.send(
      new Request(`${watchedIssuer}${path}`, {
        method: 'POST',
        body: new URLSearchParams({ scope }),
        headers: { Authorization },
      }),
    );
  }
  for (const form of [
    { client_id: secrets.tame, client_secret: 'post-1' },
    { client_id: user.email, client_secret: secrets.post },
    { client_secret: secrets.post },
    { client_id: 'post-1', client_secret: secrets.post, client_assertion: secrets.mac },
    { client_assertion_type: secrets.mac, client_assertion: secrets.mac },
  ]) {
    const body = new URLSearchParams(Object.entries(form));
    await made.send(new Request(`${watchedIssuer}${path}`, { method: 'POST', body }));
  }
  const hostile = { aud: user.email, iss: 'key-1', sub: user.sub };
  await post(path, 'key-1', {}, clientJwt('client assertion', 'key-1', hostile));
  const [, payload = '', signature = ''] = clientJwt('client assertion', 'key-1').split('.');
  const header = Buffer.from(JSON.stringify({ alg: user.email })).toString('base64url');
  await post(path, 'key-1', {}, `${header}.${payload}.${signature}`);
}

/** All outcomes of the approval page. */
async function everyPage(): Promise<void> {
  const { authReqId, link } = await ask('basic-1');
  await made.send(new Request(link, { method: 'OPTIONS' }));
  await made.send(new Request(link, { method: 'DELETE' }));
  await made.send(new Request(`${watchedIssuer}/approve/${authReqId}`));
  await decide(link, user.email);
  await decide(link, 'approve', {}, secrets.wrong);
  await decide(link, 'approve', { Origin: `https://${user.username}.example` });
  await made.send(new Request(link, { method: 'POST', body: user.email.repeat(1000) }));
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const body = user.email.repeat(1000);
  await made.send(new Request(link, { method: 'POST', body, headers: type }));
  await decide(link, 'approve');
  await decide(link, 'deny');
}

/** All that SES answers, and a flow that does not start. */
async function everyMail(): Promise<void> {
  for (const answer of ['rejected', 'deferred', 'failed', 'lost'] as const) {
    made.world.ses = answer;
    const { authReqId } = await ask('post-1');
    await poll('post-1', authReqId);
  }
  made.world.ses = 'accepted';
  made.world.isFlowDown = true;
  await ask('basic-1');
  made.world.isFlowDown = false;
}

/** Each call of DynamoDB fails once in each path, and the signer at the end of two. */
async function everyFault(): Promise<void> {
  const { world, now } = made;
  const { body } = await redeem('key-1');
  for (let call = 1; call <= 14; call += 1) {
    world.failingCall = call;
    await made.rotate();
    world.failingCall = call;
    await made.deploy();
    world.failingCall = call;
    const { authReqId, link } = await ask('mac-1', { id_token_hint: String(body.id_token) });
    world.failingCall = 0;
    if (authReqId === 'undefined') continue;
    world.failingCall = call;
    await decide(link, 'approve');
    world.failingCall = 0;
    await decide(link, 'approve');
    now.at += 2;
    world.failingCall = call;
    keepTokens((await poll('mac-1', authReqId)).body);
    world.failingCall = call;
    keepTokens((await refresh('key-1', String(body.refresh_token))).body);
    world.failingCall = call;
    await made.send(new Request(`${watchedIssuer}/jwks`));
    world.failingCall = 0;
  }
  await everyBrokenItem();

  const { authReqId, link } = await ask('basic-1');
  await decide(link, 'approve');
  world.isSignerBroken = true;
  now.at += 2;
  await poll('basic-1', authReqId);
  await refresh('key-1', String(body.refresh_token));
  world.isSignerBroken = false;
}

/**
 * What SES tells of a mail, with its address in every place, once for each call that fails and then
 * for good.
 */
async function everyNews(): Promise<void> {
  const { authReqId } = await ask('basic-1');
  const [ref = ''] = authReqId.split('.');
  for (const told of [bounce('Permanent', user.email), complaint(), { eventType: user.email }]) {
    await made.hear(sesEvent(user.email, told, user.email));
    await made.hear(sesEvent('a'.repeat(26), told, user.email));
    for (let call = 4; call >= 0; call -= 1) {
      made.world.failingCall = call;
      await made.hear(sesEvent(ref, told, user.email)).catch(() => undefined);
    }
  }
  made.world.failingCall = 0;
  expect(made.lines.at(-1)).toContain('"event":"mail_feedback"');
}

/** Items that somebody has written by hand, and badly, before the flow and before a request. */
async function everyBrokenItem(): Promise<void> {
  const { client } = made.tables;
  const Key = { pk: { S: `user#${user.sub}` } };
  const whole = (await client.send(new GetItemCommand({ TableName: 'directory', Key }))).Item ?? {};
  const broken = { ...whole, email_verified: { S: user.email }, name: { L: [{ S: user.name }] } };
  await post('/cibaAuthorization', 'basic-1', { scope, login_hint: user.email });
  await client.send(new PutItemCommand({ TableName: 'directory', Item: broken }));
  await made.runFlows();
  await ask('basic-1');
  await client.send(new PutItemCommand({ TableName: 'directory', Item: whole }));
}

/** What only the tables know: the private halves and the link nonces. */
async function keepStoredSecrets(): Promise<void> {
  for (const alg of ['ES256', 'RS256'] as const) {
    for (const { jwk } of (await made.keys.signingKeys(alg)).keys)
      keep('private key', jwk['d'] ?? '');
  }
  for (const { secret } of (await made.keys.secretKeys('link')).keys) keep('link key', secret);
  for (const { secret } of (await made.keys.secretKeys('wrap')).keys) keep('wrapping key', secret);
  for (const { item } of await storedItems()) {
    // As the table has it, under its short name.
    if (typeof item['ln'] === 'string') keep('link nonce', item['ln']);
  }
}

interface StoredItem {
  /** The table, and what its key begins with. */
  key: string;
  item: Record<string, unknown>;
  text: string;
}

async function storedItems(): Promise<StoredItem[]> {
  const { client } = made.tables;
  const all: StoredItem[] = [];
  for (const TableName of ['requests', 'directory', 'keys']) {
    const { Items = [] } = await client.send(new ScanCommand({ TableName }));
    for (const one of Items) {
      const item = inText(unmarshall(one));
      const [, kind = ''] =
        /^(client#|user#|login#|jwks|link|wrap|signing#\w+)/.exec(String(item['pk'])) ?? [];
      all.push({ key: `${TableName} ${kind}`.trim(), item, text: JSON.stringify(item) });
    }
  }
  return all;
}

/** What an item keeps as octets, as the text that they stand for. */
function inText(item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      if (!(value instanceof Uint8Array)) return [name, value];
      return [name, name === 'df' ? readOrigin(value) : readBase64url(value)];
    }),
  );
}

/** Every text in which a canary stands, in whatever spelling. */
function findCanaries(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    canariesIn(text).map(([what, spelling]) => `${what} as ${spelling} in ${text.slice(0, 600)}`),
  );
}

function canariesIn(text: string): [what: string, spelling: string][] {
  // JSON in JSON in JSON is read without what each layer escapes.
  const folded = `${text}\n${text.replaceAll('\\', '')}`.toLowerCase();
  return [...canaries].flatMap(([what, canary]) => {
    const spelling = spellings(canary).find((one) => folded.includes(one.toLowerCase()));
    return spelling === undefined ? [] : [[what, spelling] as [string, string]];
  });
}

const spelled = new Map<string, string[]>();

/** A text raw, in JSON, percent-encoded, in hex, and in base64 wherever it may begin. */
function spellings(canary: string): string[] {
  const known = spelled.get(canary);
  if (known) return known;
  const shifted = ['', 'x', 'xx'].flatMap((before) => {
    const octets = Buffer.from(before + canary);
    // The characters at the ends depend on what stands beside it.
    return (['base64', 'base64url'] as const).map((encoding) =>
      octets.toString(encoding).slice(before === '' ? 0 : 4, -4),
    );
  });
  const form = new URLSearchParams({ '': canary }).toString().slice(1);
  const all = [
    canary,
    JSON.stringify(canary).slice(1, -1),
    encodeURIComponent(canary),
    form,
    Buffer.from(canary).toString('hex'),
    ...shifted,
  ];
  spelled.set(canary, [...new Set(all)]);
  return all;
}
