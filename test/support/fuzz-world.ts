/**
 * A case of the fuzzer made real: a provider in memory whose authentication request is in the state
 * the case wants, and the event that API Gateway would hand over, faults and all.
 */

import {
  CIBA_GRANT_TYPE,
  type Client,
  REFRESH_GRANT_TYPE,
} from '../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../lambdas/ciba/client/client-assertion.ts';
import { hashSecret } from '../../lambdas/ciba/handles.ts';
import { publicHalf } from '../../lambdas/ciba/keys/signing-keys.ts';
import type { AuthenticationRequest } from '../../lambdas/ciba/request/authentication-request.ts';
import { httpHandler } from '../../lambdas/http/api-gateway-event.ts';
import { exampleClient, exampleUser } from './example-directory.ts';
import { base64url, generateClientKey, signJwt } from './example-jwts.ts';
import type {
  ApproveCase,
  AuthorizeCase,
  BodyFault,
  ClientKind,
  Fault,
  FieldFault,
  FuzzCase,
  JwtFault,
  RequestState,
  TokenCase,
} from './fuzz-requests.ts';
import { formTokenOf, issuer, providerInMemory, refOf } from './provider-in-memory.ts';
import { storedSecretOf } from './stored-secrets.ts';

const providerKey = generateClientKey('ES256');
const clientKey = generateClientKey('ES256', { kid: 'k1' });
const strangerKey = generateClientKey('ES256');
/** Secrets without a word that an answer may say by itself. */
const secret = 'Xq7vK2mWz9RtY4bN8cJ5hG3fD6sL1pQ0';
const jwtSecret = 'mB4xT8nZ2kV6wQ1rC9yH5jS3gF7dL0pA';
const strangersSecret = 'pL0oK9iJ8uH7yG6tF5rD4eS3wA2qZ1xM';

const registered: Partial<Client> = {
  grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
  scope: 'openid profile email offline_access',
};

const { client_secret_mac: _none, ...withoutSecret } = { ...exampleClient, ...registered };

/** The registration of each kind of client; only the ids' look says which is which. */
const clients: Record<ClientKind, Client> = {
  basic: { ...exampleClient, ...registered, ...storedSecretOf('pump-4', secret) },
  post: {
    ...exampleClient,
    ...registered,
    client_id: 'post-1',
    ...storedSecretOf('post-1', secret),
    token_endpoint_auth_method: 'client_secret_post',
    unknown_user: 'decoy',
  },
  'secret-jwt': {
    ...withoutSecret,
    client_id: 'mac-1',
    token_endpoint_auth_method: 'client_secret_jwt',
    client_secret_wrapped: jwtSecret,
    client_assertion_audience: 'ciba-core',
  },
  'key-jwt': {
    ...withoutSecret,
    client_id: 'key-1',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [clientKey.jwk] },
    failed_flow: 'deny',
  },
};

/** A JWT that is signed once all of its faults are in. */
interface JwtDraft {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** What signs it: a private key, or a secret. */
  key: Parameters<typeof signJwt>[2];
  strangersKey: Parameters<typeof signJwt>[2];
  alg: string;
  textFaults: Extract<JwtFault, { kind: 'jwt text' }>[];
}

interface Field {
  name: string;
  value: string | JwtDraft;
}

/** A request on its way to becoming one. */
interface Draft {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  fields: Field[];
  bodyFaults: BodyFault[];
}

/** One answer as the gateway gets it. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** A case in its world, ready to be sent. */
export interface FuzzedRequest {
  /** Every text in it, as it was sent and before it was encoded. */
  sent: string[];
  method: string;
  /** The public ids that are stored; only one that is the caller's own may come back. */
  refs: string[];
  ownRef: string | undefined;
  /** Sends it once. */
  send(): Promise<Answer>;
  /** Everything that is stored or went out, without what a poll may write. */
  snapshot(): Promise<string>;
}

/** Brings a new provider into the state that the case wants, and drafts the request. */
export async function prepare(fuzz: FuzzCase): Promise<FuzzedRequest> {
  const world = await openWorld(fuzz);
  const { provider } = world;
  // A page may be old when its form is sent; credentials are made when they are used.
  if (fuzz.endpoint !== 'approve') provider.now.at += fuzz.wait;
  const draft = await draftOf(world, fuzz);
  for (const fault of fuzz.faults) applyFault(world, draft, fault);
  if (fuzz.endpoint === 'approve') provider.now.at += fuzz.wait;
  for (const field of draft.fields) field.value = textOf(field.value);

  const { event, sent } = render(draft, fuzz.base64);
  const handler = httpHandler(issuer, provider[fuzz.endpoint]);
  const stored = [...world.refs];
  return {
    sent,
    method: draft.method,
    refs: stored,
    ownRef: fuzz.endpoint !== 'authorize' && fuzz.state !== 'foreign' ? stored[0] : undefined,
    send: () => handler(event),
    snapshot: () => snapshot(world),
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** One authentication request of the case's client, or of another, in the state of the case. */
async function openWorld(fuzz: FuzzCase) {
  const refs: string[] = [];
  const provider = providerInMemory({
    // What a token says is granted; written so, it is never taken for an echo.
    signer: { sign: async (...token) => hashSecret(JSON.stringify(token)) },
    publicKeys: [publicHalf('ours', 'ES256', providerKey.jwk)],
    requests: {
      async create(request) {
        refs.push(request.ref);
        const bindingMessage =
          fuzz.endpoint === 'approve' ? fuzz.bindingMessage : request.bindingMessage;
        const wrongCodes = fuzz.endpoint === 'approve' ? fuzz.wrongCodes : undefined;
        await provider.requests.create({
          ...request,
          bindingMessage,
          ...(wrongCodes !== undefined && { wrongCodes }),
        });
      },
    },
  });
  const { directory } = provider;
  for (const client of Object.values(clients)) {
    directory.clients.set(client.client_id, { ...client });
  }
  directory.clients.set('desk-1', {
    ...exampleClient,
    ...registered,
    client_id: 'desk-1',
    ...storedSecretOf('desk-1', secret),
  });
  directory.users.set('u-bob', { ...exampleUser, sub: 'u-bob', username: 'bob', enabled: false });
  const client = clients[fuzz.client];
  const world = { provider, refs, client, authReqId: '', link: '', refreshToken: '', serial: 0 };
  if (fuzz.endpoint === 'authorize' || fuzz.state === 'unknown') return world;

  await reach(world, fuzz.state);
  if (fuzz.endpoint === 'approve') {
    for (const one of directory.clients.values()) one.client_name = fuzz.clientName;
  }
  return world;
}

/** Walks the request of a world to a state: asked for, mailed, decided, redeemed. */
async function reach(world: World, state: RequestState): Promise<void> {
  const { provider } = world;
  const draft = authorizeDraft(world, {
    scope: 'openid profile email offline_access',
    hint: 'login_hint',
    login: 'alice',
    hintEnded: false,
  });
  if (state === 'foreign') {
    draft.fields = draft.fields.filter(({ name }) => !name.startsWith('client_'));
    draft.headers['authorization'] = basic('desk-1', secret);
  }
  for (const field of draft.fields) field.value = textOf(field.value);
  const handler = httpHandler(issuer, provider.authorize);
  const { auth_req_id } = JSON.parse((await handler(render(draft, false).event)).body);
  world.authReqId = auth_req_id;
  world.link = await provider.mailedLink(auth_req_id);
  if (state === 'approved' || state === 'redeemed') {
    const { bindingMessage = '' } = (await provider.requests.find(refOf(auth_req_id))) ?? {};
    await provider.decide(world.link, 'approve', {}, { code: bindingMessage });
  }
  if (state === 'denied') await provider.decide(world.link, 'deny');
  if (state === 'failed') {
    await provider.requests.fail(refOf(auth_req_id), 'mail_rejected', provider.now.at);
  }
  if (state === 'expired') provider.now.at += 121;
  if (state === 'redeemed') await redeem(world);
}

async function redeem(world: World): Promise<void> {
  const draft = pollDraft(world, { grant: 'ciba', scope: undefined });
  for (const field of draft.fields) field.value = textOf(field.value);
  const handler = httpHandler(issuer, world.provider.token);
  const { refresh_token } = JSON.parse((await handler(render(draft, false).event)).body);
  world.refreshToken = refresh_token;
}

async function snapshot({ provider, refs }: World): Promise<string> {
  const items = await Promise.all(refs.map((ref) => provider.requests.find(ref)));
  return JSON.stringify([items.map(withoutPolls), provider.started, provider.mails.length]);
}

/** Without the polls' own bookkeeping, and what the replay of a redeemed auth_req_id costs. */
function withoutPolls(item: AuthenticationRequest | undefined): object {
  const {
    polledAt: _polled,
    polls: _polls,
    interval: _interval,
    firstInterval: _firstInterval,
    replayedAt: _replayed,
    ...rest
  } = {
    replayedAt: 0,
    ...Object(item),
  };
  return rest;
}

async function draftOf(world: World, fuzz: FuzzCase): Promise<Draft> {
  if (fuzz.endpoint === 'authorize') return authorizeDraft(world, fuzz);
  if (fuzz.endpoint === 'token') return pollDraft(world, fuzz);
  return approveDraft(world, fuzz);
}

function basic(clientId: string, clientSecret: string): string {
  const pair = [clientId, clientSecret].map(encodeURIComponent).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** A POST of a form, with the client's authentication beside the fields. */
function formDraft(world: World, path: string, fields: Field[]): Draft {
  const { client } = world;
  const draft: Draft = {
    method: 'POST',
    path,
    query: '',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    fields,
    bodyFaults: [],
  };
  switch (client.token_endpoint_auth_method) {
    case 'client_secret_basic':
      draft.headers['authorization'] = basic(client.client_id, secret);
      return draft;
    case 'client_secret_post':
      fields.push({ name: 'client_id', value: client.client_id });
      fields.push({ name: 'client_secret', value: secret });
      return draft;
    default:
      fields.push({ name: 'client_assertion_type', value: CLIENT_ASSERTION_TYPE });
      fields.push({ name: 'client_assertion', value: assertion(world) });
      return draft;
  }
}

function assertion(world: World): JwtDraft {
  const { client_id: clientId } = world.client;
  return clientJwt(world, { iss: clientId, sub: clientId });
}

/** A JWT of the client: with its key if it has one, else with its secret. */
function clientJwt(world: World, claims: Record<string, unknown>): JwtDraft {
  const { client, provider } = world;
  world.serial += 1;
  const { at } = provider.now;
  const all = { ...claims, aud: issuer, iat: at, exp: at + 200, jti: `jti-${world.serial}-${at}` };
  const unsigned = { claims: all, textFaults: [] };
  if (client.jwks) {
    const header = { alg: 'ES256', kid: 'k1' };
    const [key, strangersKey] = [clientKey.privateKey, strangerKey.privateKey];
    return { ...unsigned, header, alg: 'ES256', key, strangersKey };
  }
  const isMac = client.client_secret_wrapped !== undefined;
  return {
    ...unsigned,
    header: { alg: 'HS256' },
    alg: 'HS256',
    key: isMac ? jwtSecret : secret,
    strangersKey: strangersSecret,
  };
}

function authorizeDraft(
  world: World,
  asked: Pick<AuthorizeCase, 'scope' | 'hint' | 'login' | 'hintEnded'> &
    Partial<Pick<AuthorizeCase, 'bindingMessage' | 'expiry'>>,
): Draft {
  const fields: Field[] = [
    { name: 'scope', value: asked.scope },
    { name: asked.hint, value: hintOf(world, asked) },
  ];
  if (asked.bindingMessage !== undefined)
    fields.push({ name: 'binding_message', value: asked.bindingMessage });
  if (asked.expiry !== undefined) fields.push({ name: 'requested_expiry', value: asked.expiry });
  return formDraft(world, '/cibaAuthorization', fields);
}

function hintOf(
  world: World,
  { hint, login, hintEnded }: Pick<AuthorizeCase, 'hint' | 'login' | 'hintEnded'>,
): string | JwtDraft {
  if (hint === 'login_hint') return login;
  if (hint === 'login_hint_token') {
    const named = { [login.includes('@') ? 'email' : 'username']: login };
    const draft = clientJwt(world, { iss: world.client.client_id, ...named });
    if (hintEnded) draft.claims['exp'] = world.provider.now.at - 40;
    return draft;
  }
  const { at } = world.provider.now;
  return {
    header: { alg: 'ES256', typ: 'JWT', kid: 'ours' },
    claims: {
      iss: issuer,
      aud: world.client.client_id,
      sub: login === 'bob' ? 'u-bob' : 'u-alice',
      iat: at - 9999,
      exp: at - 6399,
    },
    alg: 'ES256',
    key: providerKey.privateKey,
    strangersKey: strangerKey.privateKey,
    textFaults: [],
  };
}

/** A handle of the right form that was never given to anybody. */
const nobodysHandle = `${'a'.repeat(26)}.${'A'.repeat(43)}`;

function pollDraft(world: World, asked: Pick<TokenCase, 'grant' | 'scope'>): Draft {
  const fields: Field[] =
    asked.grant === 'ciba'
      ? [
          { name: 'grant_type', value: CIBA_GRANT_TYPE },
          { name: 'auth_req_id', value: world.authReqId || nobodysHandle },
        ]
      : [
          { name: 'grant_type', value: REFRESH_GRANT_TYPE },
          { name: 'refresh_token', value: world.refreshToken || world.authReqId || nobodysHandle },
        ];
  if (asked.scope !== undefined) fields.push({ name: 'scope', value: asked.scope });
  return formDraft(world, '/token', fields);
}

function typedFields({ typed, bindingMessage }: ApproveCase): Field[] {
  if (typed === undefined) return [];
  return [{ name: 'code', value: typed === 'the code' ? bindingMessage : typed.text }];
}

async function approveDraft(world: World, asked: ApproveCase): Promise<Draft> {
  const { provider } = world;
  const link = world.link || `${issuer}/approve/${nobodysHandle}`;
  // Only a POST needs a page before it; were a GET to change anything, it has to be this one that
  // is watched.
  const shown =
    asked.method === 'POST' ? await (await provider.approve(new Request(link))).text() : '';
  const formToken = formTokenOf(shown) || 'A'.repeat(43);
  return {
    method: asked.method,
    path: new URL(link).pathname,
    query: '',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: issuer },
    fields: [
      { name: 'form_token', value: formToken },
      { name: 'decision', value: asked.decision },
      ...typedFields(asked),
    ],
    bodyFaults: [],
  };
}

function applyFault(world: World, draft: Draft, fault: Fault): void {
  switch (fault.kind) {
    case 'field':
      bendField(draft, fault);
      break;
    case 'body':
      draft.bodyFaults.push(fault);
      break;
    case 'jwt member':
    case 'jwt text':
      bendJwt(draft, fault);
      break;
    case 'add':
      draft.fields.push({ name: fault.name, value: fault.text });
      break;
    case 'header':
      draft.headers[fault.name.toLowerCase()] = fault.value;
      break;
    case 'method':
      draft.method = fault.method;
      break;
    case 'address':
      bendAddress(draft, fault);
      break;
    case 'world':
      bendWorld(world, fault.what);
      break;
  }
}

function bendField({ fields }: Draft, { at, how, text, position }: FieldFault): void {
  const field = fields[at % Math.max(1, fields.length)];
  if (!field) return;
  const value = textOf(field.value);
  const cut = position % (value.length + 1);
  switch (how) {
    case 'drop':
      fields.splice(fields.indexOf(field), 1);
      return;
    case 'twice':
      fields.push({ name: field.name, value: field.value });
      return;
    case 'empty':
      field.value = '';
      return;
    case 'replace':
      field.value = text;
      return;
    case 'append':
      field.value = value + text;
      return;
    case 'prepend':
      field.value = text + value;
      return;
    case 'cut':
      field.value = value.slice(0, cut);
      return;
    case 'flip':
      field.value = flip(value, cut);
      return;
    case 'rename':
      field.name = position % 2 === 0 ? field.name.toUpperCase() : text;
      return;
  }
}

/** Another character at a place. */
function flip(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

function bendJwt({ fields }: Draft, fault: JwtFault): void {
  const jwts = fields.flatMap(({ value }) => (typeof value === 'string' ? [] : [value]));
  const jwt = jwts[fault.position % Math.max(1, jwts.length)];
  if (fault.kind === 'jwt text') {
    jwt?.textFaults.push(fault);
    return;
  }
  if (jwt) {
    // Even `__proto__` is a member of its own.
    const change = { value: fault.value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(jwt[fault.part], fault.name, change);
  }
}

function bendAddress(draft: Draft, { how, text, position }: Extract<Fault, { kind: 'address' }>) {
  if (how === 'query') draft.query = encodeURI(Buffer.from(text).toString());
  if (how === 'flip') draft.path = flip(draft.path, 1 + (position % (draft.path.length - 1)));
  if (how === 'cut') draft.path = draft.path.slice(0, 1 + position);
  if (how === 'replace') {
    draft.path = draft.path.slice(0, draft.path.lastIndexOf('/') + 1) + text;
  }
}

function bendWorld({ provider: { directory }, client }: World, what: string): void {
  const { client_id: id } = client;
  const now = directory.clients.get(id);
  const user = { ...exampleUser };
  if (what === 'client gone') directory.clients.delete(id);
  if (now && what === 'client disabled') directory.clients.set(id, { ...now, enabled: false });
  if (now && what === 'client without grant')
    directory.clients.set(id, { ...now, grant_types: [] });
  if (now && what === 'client with less scope')
    directory.clients.set(id, { ...now, scope: 'openid' });
  if (what === 'user gone') directory.users.delete(user.sub);
  if (what === 'user disabled') directory.users.set(user.sub, { ...user, enabled: false });
  if (what === 'user moved') directory.users.set(user.sub, { ...user, contact_version: 2 });
}

/** The text of a field; a JWT is signed now, as it stands. */
function textOf(value: string | JwtDraft): string {
  if (typeof value === 'string') return value;
  const isStrangers = value.textFaults.some(({ how }) => how === 'wrong key');
  const key = isStrangers ? value.strangersKey : value.key;
  const signed = signJwt(writtenHeader(value), writtenClaims(value), key, value.alg);
  return value.textFaults.reduce((text, fault) => bendJwtText(text, fault), signed);
}

function writtenHeader({ header, textFaults }: JwtDraft): Record<string, unknown> | string {
  if (textFaults.some(({ how }) => how === 'member twice')) {
    return `{"alg":"none",${JSON.stringify(header).slice(1)}`;
  }
  return header;
}

function writtenClaims({ claims, textFaults }: JwtDraft): object | string {
  if (!textFaults.some(({ how }) => how === 'deep')) return claims;
  const depth = 2000;
  return `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},${JSON.stringify(claims).slice(1)}`;
}

function bendJwtText(text: string, { how, position }: JwtDraft['textFaults'][number]): string {
  const [header = '', claims = '', signature = ''] = text.split('.');
  switch (how) {
    case 'flip':
      return flip(text, position % text.length);
    case 'cut':
      return text.slice(0, position % text.length);
    case 'no signature':
      return `${base64url({ alg: 'none' })}.${claims}.`;
    case 'other part':
      return `${text}.${header}`;
    case 'padding':
      return `${header}=.${claims}.${signature}=`;
    case 'not UTF-8':
      return `${header}.${Buffer.from([0x7b, 0xff, 0xfe]).toString('base64url')}.${signature}`;
    default:
      return text;
  }
}

/** The gateway's event, and every text in it. */
function render(draft: Draft, base64: boolean) {
  const pairs = draft.fields.map(({ name, value }) => [name, textOf(value)] as const);
  const body = draft.bodyFaults.reduce<Buffer>(
    (octets, fault) => bendBody(octets, fault, pairs),
    Buffer.from(pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')),
  );
  const event = {
    rawPath: draft.path,
    rawQueryString: draft.query,
    headers: draft.headers,
    requestContext: { http: { method: draft.method } },
    body: body.toString(base64 ? 'base64' : 'utf8'),
    isBase64Encoded: base64,
  };
  return { event, sent: sentTexts(draft, pairs, body) };
}

/** Half a surrogate pair has no encoding; it goes out as the character that stands for it. */
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

function bendBody(
  octets: Buffer,
  { how, octets: odd, position }: BodyFault,
  pairs: readonly (readonly [string, string])[],
): Buffer {
  if (how === 'octets') {
    const at = position % (octets.length + 1);
    return Buffer.concat([octets.subarray(0, at), Buffer.from(odd), octets.subarray(at)]);
  }
  const write = { raw: String, 'all percent': percent, 'lower case': lower }[how];
  const written = pairs.map(([name, value]) => `${write(name)}=${write(value)}`);
  return Buffer.from(written.join('&'));
}

/** Every octet in percent-encoding, as nobody has to write it and everybody may. */
function percent(text: string): string {
  return [...Buffer.from(text)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('');
}

function lower(text: string): string {
  return encode(text).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

function sentTexts(
  draft: Draft,
  pairs: readonly (readonly [string, string])[],
  body: Buffer,
): string[] {
  const [, basicPair = ''] = /^basic (.+)$/i.exec(draft.headers['authorization'] ?? '') ?? [];
  return [
    ...pairs.flat(),
    ...pairs.flatMap(([, value]) => encode(value)),
    draft.path,
    draft.query,
    ...Object.entries(draft.headers).flat(),
    Buffer.from(basicPair, 'base64').toString(),
    // As the faults have left it.
    ...(draft.bodyFaults.length > 0 ? [body.toString('latin1')] : []),
  ];
}
