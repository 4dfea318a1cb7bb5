/**
 * Requests in which one text is as long as the caller likes: every header, path, query, form field,
 * part of a JWT and typed code, each filled with what parsers stumble over.
 */

import { CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE } from '../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../lambdas/ciba/client/client-assertion.ts';
import { backchannelAuthenticationParameters } from '../../lambdas/ciba/request/backchannel-authentication-request.ts';
import { approvalFields } from '../../lambdas/endpoints/approve.ts';
import { clientAuthenticationParameters } from '../../lambdas/endpoints/authenticated-form.ts';
import { tokenParameters } from '../../lambdas/endpoints/token.ts';
import { FORM_BYTES } from '../../lambdas/http/form.ts';
import { exampleClient, exampleClientSecret } from './example-directory.ts';
import { signJwt } from './example-jwts.ts';
import { EXAMPLE_NOW } from './example-request.ts';
import { issuer } from './provider-in-memory.ts';

/** API Gateway takes 10,240 octets of request line and headers in all; this is more. */
const HEAD_BYTES = 15_000;

/** Less than {@link FORM_BYTES} by what the other fields need. */
const FIELD_BYTES = FORM_BYTES - 1200;

/** In base64 a JWT of 8,192 characters, the longest that is read. */
const JWT_PART_BYTES = 5600;

/** What reaches a function at most: its payload has 6 MB. */
const PAYLOAD_BYTES = 4_500_000;

/**
 * Repeated to any length. Each is something that a grammar of ours, of HTTP, of JSON or of Unicode
 * gives a meaning.
 */
const units = [
  ...['a', '0', '-', '.', 'a-', 'a.', ' ', '\t', ',', 'a,', ';', ' ;', ';q=0.5,', '=', ';a=b', '"'],
  ...['\\"', '""', '/', '../', '%', '%41', '%C3%A9', '+', '&', '[', '{"a":', '@', '(', 'a b '],
];

/**
 * Beyond ASCII: marks in no canonical order, a ligature of eighteen letters, names that IDNA has to
 * write anew.
 */
const unicodeUnits = [
  'é',
  'e\u0301\u0323',
  '\u0301\u0323',
  '\ufdfa',
  'あ',
  '😀',
  'ß',
  '\u200b',
  'İ',
];

/** A text of so many octets. */
export type Fill = (octets: number) => string;

function repeat(unit: string, octets: number): string {
  const times = Math.max(0, Math.ceil(octets / Buffer.byteLength(unit)));
  return unit.repeat(times).slice(0, octets);
}

/**
 * From the very beginning, and a letter at the end that goes with some of it and not with other.
 */
const tailed = (unit: string): [string, Fill] => [
  JSON.stringify(unit),
  (octets) => (octets === 0 ? '' : `${repeat(unit, octets - 1)}x`),
];

/** Between a letter and what fits nothing. */
const framed = (unit: string): [string, Fill] => [
  `x${JSON.stringify(unit)}!`,
  (octets) => (octets === 0 ? '' : `x${repeat(unit, octets - 2)}!`),
];

const bare = (unit: string): [string, Fill] => [
  `${JSON.stringify(unit)} alone`,
  (octets) => repeat(unit, octets),
];

const asciiFills = [...units.map(tailed), ...[' ', 'a', 'a-', '"', ','].map(framed)];
const fills = [...asciiFills, ...unicodeUnits.map(tailed), ...unicodeUnits.map(bare)];

/** The function that a request is for. */
type Endpoint = 'authorize' | 'token' | 'approve' | 'metadata';

/** One place that a caller fills. */
export interface Place {
  name: string;
  endpoint: Endpoint;
  /** The most octets that can come there. */
  limit: number;
  fills: [name: string, fill: Fill][];
  /** The gateway's event with this text in the place. */
  event(text: string): object;
}

interface Draft {
  method?: string;
  path?: string;
  query?: string;
  headers?: Record<string, string>;
  cookies?: string[];
  body?: string;
}

function eventOf({ method = 'GET', path = '/', query = '', headers = {}, ...draft }: Draft) {
  return {
    rawPath: path,
    rawQueryString: query,
    headers,
    ...(draft.cookies && { cookies: draft.cookies }),
    requestContext: { http: { method } },
    ...(draft.body !== undefined && {
      body: Buffer.from(draft.body).toString('base64'),
      isBase64Encoded: true,
    }),
  };
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const pair = `${exampleClient.client_id}:${encodeURIComponent(exampleClientSecret)}`;
const basic = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };

/** What is asked for by whoever holds the link and the form token of a page. */
export interface Opened {
  link: string;
  formToken: string;
}

/** A request of each endpoint that is answered with success, or nearly. */
function drafts({ link, formToken }: Opened) {
  const path = new URL(link).pathname;
  return {
    authorize: {
      method: 'POST',
      path: '/cibaAuthorization',
      headers: { ...form, ...basic },
      body: 'scope=openid&login_hint=alice',
    },
    token: {
      method: 'POST',
      path: '/token',
      headers: { ...form, ...basic },
      body: `grant_type=${encodeURIComponent(CIBA_GRANT_TYPE)}&auth_req_id=x`,
    },
    approve: {
      method: 'POST',
      path,
      headers: form,
      body: `form_token=${formToken}&decision=approve&code=x`,
    },
    page: { path },
    metadata: { path: '/jwks' },
  };
}

/** The headers that an endpoint of ours reads. */
const readHeaders = [
  ...['accept-language', 'authorization', 'content-encoding', 'content-type', 'if-none-match'],
  ...['origin', 'sec-fetch-site'],
];

/** Some that nothing of ours reads and everybody may send. */
const otherHeaders = [
  ...[
    'accept',
    'accept-encoding',
    'content-length',
    'cookie',
    'dpop',
    'expect',
    'forwarded',
    'host',
  ],
  ...['if-modified-since', 'referer', 'user-agent', 'x-any', 'x-forwarded-for'],
];

/** What is not read is still trimmed and kept. */
const keptFills = ['a', ' ', '\t'].flatMap((unit) => [framed(unit), tailed(unit)]);

/** Beginnings after which a header is read further. */
const headerBeginnings: [name: string, beginning: string][] = [
  ['content-type', form['content-type']],
  ['content-type', `${form['content-type']};`],
  ['content-type', `${form['content-type']};charset=`],
  ['content-type', `${form['content-type']};a="`],
  ['authorization', 'Basic '],
  ['authorization', 'Basic'],
  ['accept-language', 'en;q=0.5,'],
  ['accept-language', 'a-'],
  ['if-none-match', '"a",W/'],
  ['content-encoding', 'identity,'],
];

/** Every place at every endpoint. */
export function places(opened: Opened): Place[] {
  const all = drafts(opened);
  const endpoints: [Endpoint, Draft][] = [
    ['authorize', all.authorize],
    ['token', all.token],
    ['approve', all.approve],
    ['approve', all.page],
    ['metadata', all.metadata],
  ];
  return [
    ...endpoints.flatMap(([endpoint, draft]) => headPlaces(endpoint, draft)),
    ...pathPlaces(opened),
    ...bodyPlaces('authorize', all.authorize),
    ...bodyPlaces('token', all.token),
    ...bodyPlaces('approve', all.approve),
    ...fieldPlaces(opened),
    ...jwtPlaces(),
  ];
}

function headPlaces(endpoint: Endpoint, draft: Draft): Place[] {
  const where = `${draft.method ?? 'GET'} ${endpoint}`;
  const place = (
    name: string,
    change: (text: string) => Draft,
    filled: Place['fills'] = asciiFills,
  ): Place => ({
    name: `${where}, ${name}`,
    endpoint,
    limit: HEAD_BYTES,
    fills: filled,
    event: (text) => eventOf({ ...draft, ...change(text) }),
  });
  const withHeader = (header: string, value: string) => ({
    headers: { ...draft.headers, [header]: value },
  });
  return [
    ...readHeaders.map((header) => place(header, (text) => withHeader(header, text))),
    ...otherHeaders.map((header) => place(header, (text) => withHeader(header, text), keptFills)),
    ...headerBeginnings.map(([header, beginning]) =>
      place(`${header} after ${beginning}`, (text) => withHeader(header, beginning + text)),
    ),
    place('Basic credentials', (text) =>
      withHeader('authorization', `Basic ${Buffer.from(`pump-4:${text}`).toString('base64')}`),
    ),
    place('the name of a header', (text) => withHeader(text || 'x', 'x')),
    place(
      'many headers',
      (text) => ({ headers: { ...draft.headers, ...manyHeaders(text.length) } }),
      [framed('a')],
    ),
    place('cookies', (text) => ({ cookies: [text, ...text.split(';')] })),
    place('query', (query) => ({ query })),
    place('method', (text) => ({ method: text || 'GET' })),
  ];
}

/** As many as so many octets are enough for. */
function manyHeaders(octets: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: octets / 12 }, (_, at) => [`h${at}`, 'x']));
}

function pathPlaces({ link }: Opened): Place[] {
  const { pathname } = new URL(link);
  const beginnings: [Endpoint, string][] = [
    ['approve', '/approve'],
    ['approve', '/approve/'],
    ['approve', pathname],
    ['metadata', '/'],
    ['metadata', '/logo/'],
    ['metadata', '/logo/pump-4/'],
    ['metadata', '/.well-known/'],
    ['authorize', '/cibaAuthorization'],
    ['token', '/token/'],
  ];
  return beginnings.map(([endpoint, beginning]) => ({
    name: `path of ${endpoint} after ${beginning === pathname ? 'a link' : beginning}`,
    endpoint,
    limit: HEAD_BYTES,
    fills,
    event: (text) => eventOf({ path: beginning + text }),
  }));
}

function bodyPlaces(endpoint: Endpoint, draft: Draft): Place[] {
  const whole = { endpoint, limit: FORM_BYTES, fills };
  const names = (unit: (index: number) => string): [string, Fill][] => [
    [
      unit(0),
      (octets) => Array.from({ length: Math.floor(octets / 8) }, (_, at) => unit(at)).join(''),
    ],
  ];
  const giant: [string, Fill][] = [bare('a'), bare('&'), bare('%41=&')];
  const body = (text: string) => eventOf({ ...draft, body: text });
  return [
    { ...whole, name: `body of ${endpoint}`, event: body },
    {
      ...whole,
      name: `body of ${endpoint} after its own`,
      event: (text) => body(`${draft.body}&${text}`),
    },
    {
      ...whole,
      name: `many fields of ${endpoint}, one name`,
      fills: names(() => 'foo=bar&'),
      event: body,
    },
    {
      ...whole,
      name: `many fields of ${endpoint}, many names`,
      fills: names((at) => `${at}=`.padEnd(7, 'x').concat('&')),
      event: body,
    },
    {
      ...whole,
      name: `many empty fields of ${endpoint}`,
      fills: names(() => 'scope=&&'),
      event: body,
    },
    {
      ...whole,
      name: `all that fits into a payload, to ${endpoint}`,
      limit: PAYLOAD_BYTES,
      fills: giant,
      event: body,
    },
    {
      ...whole,
      name: `all that fits into a payload, as text, to ${endpoint}`,
      limit: PAYLOAD_BYTES,
      fills: giant,
      event: (text) => ({ ...eventOf(draft), body: text, isBase64Encoded: false }),
    },
  ];
}

/** A form as short as it can be written, so that most of its octets are the text's own. */
function encodeForm(fields: Record<string, string>): string {
  const encode = (text: string) =>
    text.replaceAll(/[%&+=]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return Object.entries(fields)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/** So much of a text that its form has no more than these octets. */
function fitted(text: string): string {
  const octets = Buffer.byteLength(encodeForm({ x: text }));
  return octets <= FIELD_BYTES
    ? text
    : text.slice(0, Math.floor((text.length * FIELD_BYTES) / octets));
}

function fieldPlaces(opened: Opened): Place[] {
  const { authorize, token, approve } = drafts(opened);
  const field = (
    endpoint: Endpoint,
    draft: Draft,
    fields: Record<string, string>,
    name: string,
  ) => ({
    name: `${endpoint}, ${fields['grant_type'] ?? fields['acr_values'] ?? fields['client_assertion_type'] ?? 'the'} ${name}`,
    endpoint,
    limit: FIELD_BYTES,
    fills,
    event: (text: string) =>
      eventOf({ ...draft, body: encodeForm({ ...fields, [name]: fitted(text) }) }),
  });
  const { headers: withClient, ...nobody } = { ...authorize, headers: form };
  const asked = { scope: 'openid', login_hint: 'alice' };
  const code = { scope: 'openid', login_hint: 'alice', acr_values: `${issuer}/acr/code` };
  const assertion = { client_assertion_type: CLIENT_ASSERTION_TYPE };
  const decided = { form_token: opened.formToken, decision: 'approve', code: 'x' };
  return [
    ...backchannelAuthenticationParameters.flatMap((name) => [
      field(
        'authorize',
        authorize,
        { ...asked, ...(name.includes('hint') && { login_hint: '' }) },
        name,
      ),
      field('authorize', authorize, code, name),
    ]),
    ...tokenParameters.flatMap((name) =>
      [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE].map((grant_type) =>
        field('token', token, { grant_type, auth_req_id: 'x', refresh_token: 'x' }, name),
      ),
    ),
    ...clientAuthenticationParameters.flatMap((name) =>
      [asked, { ...asked, ...assertion }].map((fields) =>
        field('authorize', { ...nobody, headers: withClient }, fields, name),
      ),
    ),
    ...approvalFields.map((name) => field('approve', approve, decided, name)),
    field('approve', approve, decided, 'unknown'),
    field('authorize', authorize, asked, 'unknown'),
  ];
}

/** Clients of the two kinds that sign with a secret. */
export const secretJwtClient = {
  ...exampleClient,
  client_id: 'jwt-1',
  token_endpoint_auth_method: 'client_secret_jwt' as const,
  token_endpoint_auth_signing_alg: 'HS256' as const,
  client_secret_wrapped: exampleClientSecret,
};

/** JSON objects that are large in one way each, around the members that a JWT has to have. */
const objectFills: [string, (members: object, octets: number) => string][] = [
  ['many members', (members, octets) => JSON.stringify({ ...members, ...manyMembers(octets) })],
  [
    'members with numbers for names',
    (members, octets) =>
      JSON.stringify({
        ...members,
        ...Object.fromEntries(Array.from({ length: octets / 12 }, (_, at) => [at * 7919, 0])),
      }),
  ],
  ['lists in lists', (members, octets) => nested(members, '[', ']', octets)],
  ['objects in objects', (members, octets) => nested(members, '{"a":', '}', octets, '0')],
  [
    'spaces',
    (members, octets) => JSON.stringify(members).replaceAll(',', `${' '.repeat(octets / 6)},`),
  ],
  ['spaces at the end', (members, octets) => JSON.stringify(members) + ' '.repeat(octets)],
  ['escapes', (members, octets) => JSON.stringify({ ...members, x: repeat('\\"', octets / 2) })],
  [
    'texts',
    (members, octets) => JSON.stringify({ ...members, x: Array(Math.floor(octets / 3)).fill('') }),
  ],
];

function manyMembers(octets: number): object {
  return Object.fromEntries(Array.from({ length: octets / 8 }, (_, at) => [`m${at}`, 0]));
}

function nested(members: object, open: string, close: string, octets: number, core = ''): string {
  const depth = Math.floor(octets / (open.length + close.length));
  const rest = JSON.stringify(members).slice(0, -1);
  return `${rest},"x":${open.repeat(depth)}${core || 'null'}${close.repeat(depth)}}`;
}

function jwtPlaces(): Place[] {
  const now = EXAMPLE_NOW;
  const times = { iat: now, exp: now + 60, jti: 'once' };
  const header = { alg: 'HS256', kid: 'x' };
  const sentAs = (name: string) => (jwt: string) =>
    name === 'client_assertion'
      ? {
          headers: form,
          fields: {
            scope: 'openid',
            login_hint: 'alice',
            client_assertion_type: CLIENT_ASSERTION_TYPE,
            client_assertion: jwt,
          },
        }
      : { headers: { ...form, ...basic }, fields: { scope: 'openid', [name]: jwt } };
  const claimsOf = (name: string) =>
    name === 'client_assertion'
      ? { iss: 'jwt-1', sub: 'jwt-1', aud: issuer, ...times }
      : { iss: 'pump-4', aud: issuer, sub: 'u-alice', ...times };
  const typed = (name: string) => (name === 'id_token_hint' ? { typ: 'JWT' } : {});

  return ['client_assertion', 'login_hint_token', 'id_token_hint'].flatMap((name) => {
    const send = (jwt: string) => {
      const { headers, fields } = sentAs(name)(jwt);
      return eventOf({
        method: 'POST',
        path: '/cibaAuthorization',
        headers,
        body: encodeForm(fields),
      });
    };
    const ownHeader = { ...header, ...typed(name) };
    const base = { endpoint: 'authorize' as const, limit: JWT_PART_BYTES };
    const shaped = objectFills.flatMap(([shape, fill]): Place[] => [
      {
        ...base,
        name: `${name}, header with ${shape}`,
        fills: [[shape, (octets) => fill(ownHeader, octets)]],
        event: (text) => send(signJwt(text, claimsOf(name), exampleClientSecret, 'HS256')),
      },
      {
        ...base,
        name: `${name}, claims with ${shape}`,
        fills: [[shape, (octets) => fill(claimsOf(name), octets)]],
        event: (text) => send(signJwt(ownHeader, text, exampleClientSecret)),
      },
    ]);
    const claimed = ['iss', 'sub', 'aud', 'jti', 'username', 'email'].map(
      (claim): Place => ({
        ...base,
        name: `${name}, claim ${claim}`,
        fills,
        event: (text) => {
          const { sub: _, ...others } = claimsOf(name);
          const claims = claim === 'username' || claim === 'email' ? others : claimsOf(name);
          return send(signJwt(ownHeader, { ...claims, [claim]: text }, exampleClientSecret));
        },
      }),
    );
    const emails: Place = {
      ...base,
      name: `${name}, claim email at a domain`,
      fills,
      event: (text) => {
        const { sub: _, ...claims } = claimsOf(name);
        return send(signJwt(ownHeader, { ...claims, email: `a@${text}` }, exampleClientSecret));
      },
    };
    const headed = ['alg', 'kid', 'typ'].map(
      (member): Place => ({
        ...base,
        name: `${name}, header member ${member}`,
        fills,
        event: (text) =>
          send(
            signJwt({ ...ownHeader, [member]: text }, claimsOf(name), exampleClientSecret, 'HS256'),
          ),
      }),
    );
    return [...shaped, ...claimed, emails, ...headed];
  });
}
