/**
 * JWTs that others show us (RFC 7515, RFC 8725): some two hundred hostile ones, of which none is
 * read as a signed text or none is verified (threats T17).
 */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  isSignedBy,
  namesAlgorithm,
  readSignedJwt,
} from '../../../../lambdas/ciba/jwt/signed-jwt.ts';
import { base64url, generateClientKey, signJwt } from '../../../support/example-jwts.ts';

const { privateKey, jwk } = generateClientKey('ES256', { kid: 'k1' });
const rsa = generateClientKey('RS256', { kid: 'k2' });
const ed = generateClientKey('EdDSA', { kid: 'k3' });
const claims = { iss: 'pump-4', jti: 'one' };
const good = signJwt({ alg: 'ES256', kid: 'k1' }, claims, privateKey);
const [header = '', payload = '', signature = ''] = good.split('.');
const signatureBytes = Buffer.from(signature, 'base64url');

async function accepts(text: string): Promise<boolean> {
  const jwt = readSignedJwt(text);
  return jwt !== undefined && (await isSignedBy(jwt, 'ES256', [jwk]));
}

it('accepts the one that is signed, with all it says', async () => {
  expect(readSignedJwt(good)).toEqual({
    text: good,
    alg: 'ES256',
    kid: 'k1',
    typ: undefined,
    claims,
  });
  expect(await accepts(good)).toBe(true);
});

function signedWithHeader(members: object | string): string {
  return signJwt(members as Record<string, unknown>, claims, privateKey, 'ES256');
}

const texts = ['', ' ', '.', '..', '...', 'a.b.c', 'x', '{}', 'null', good.repeat(2)];
const spaces = [' ', '\n', '\t', '\r\n', '\0', '\u00a0', '\ufeff'];

const unsigned = ['none', 'None', 'NONE', 'nOnE', 'nonE', ''].flatMap((alg) => [
  `${base64url({ alg })}.${payload}.`,
  `${base64url({ alg })}.${payload}.${signature}`,
  `${base64url({ alg, kid: 'k1' })}.${payload}`,
  `${base64url({ alg, typ: 'JWT' })}.${payload}..`,
]);

/**
 * Every text that a careless verifier might take for a shared secret when the header says HS256.
 */
const publicTexts = [
  JSON.stringify(jwk),
  jwk.x ?? '',
  Buffer.from(JSON.stringify(jwk)).toString('base64'),
  String(rsa.privateKey.asymmetricKeyType),
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString(),
];
const confused = ['HS256', 'HS384', 'HS512'].flatMap((alg) =>
  publicTexts.map((text) => {
    const input = `${base64url({ alg, kid: 'k1' })}.${payload}`;
    const mac = createHmac(`sha${alg.slice(2)}`, text)
      .update(input)
      .digest('base64url');
    return `${input}.${mac}`;
  }),
);

const otherAlgorithms = [
  'ES384',
  'ES512',
  'ES256K',
  'RS256',
  'RS1',
  'PS256',
  'EdDSA',
  'Ed25519',
  'es256',
  'ES256 ',
  ' ES256',
  'ES256\0',
  'HS256',
  'dir',
  'RSA-OAEP',
  'A128KW',
  'ECDH-ES',
  'toString',
  '__proto__',
  'constructor',
].map((alg) => signedWithHeader({ alg, kid: 'k1' }));

const algTypes = [1, true, null, ['ES256'], { alg: 'ES256' }].map((alg) =>
  signedWithHeader({ alg }),
);

const broughtKeys = [
  { jwk },
  { jwk: {} },
  { jku: 'https://evil.example/jwks' },
  { x5u: 'https://evil.example/x' },
  { x5c: ['MIIB'] },
  { crit: ['exp'] },
  { crit: ['b64'], b64: false },
  { crit: [] },
  { b64: false },
  { b64: true },
  { zip: 'DEF' },
  { crit: null },
].map((members) => signedWithHeader({ alg: 'ES256', kid: 'k1', ...members }));

const headerTypes = [
  { kid: 1 },
  { kid: null },
  { kid: ['k1'] },
  { typ: 1 },
  { typ: null },
  { typ: {} },
].map((members) => signedWithHeader({ alg: 'ES256', ...members }));

const twice = [
  '{"alg":"ES256","alg":"none"}',
  '{"alg":"none","alg":"ES256"}',
  '{"alg":"ES256","kid":"k1","kid":"k1"}',
  String.raw`{"alg":"ES256","\u0061lg":"ES256"}`,
  '[{"alg":"ES256"}]',
  '"ES256"',
  'ES256',
  '{"alg":"ES256"',
  '{"alg":"ES256"}}',
  '{"alg":"ES256"} x',
].map((text) => signedWithHeader(text));

const claimTexts = [
  '{"iss":"pump-4","iss":"desk-1"}',
  '{"iss":"pump-4","a":{"b":1,"b":2}}',
  '[]',
  '"x"',
  '1',
  'null',
  '',
  '{',
  good,
  '\ufeff{"iss":"pump-4"}',
].map((text) => signJwt({ alg: 'ES256' }, text, privateKey));

const badUtf8 = [Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from([0xc0, 0x80])].map(
  (octets) => `${header}.${octets.toString('base64url')}.${signature}`,
);

/** The same octets in other spellings, and other octets. */
const spellings = [
  `${header}=.${payload}.${signature}`,
  `${header}.${payload}=.${signature}`,
  `${good}=`,
  `${good}==`,
  good.replaceAll('-', '+').replaceAll('_', '/').concat('+'),
  `${header}.${payload}.${signature.slice(0, -1)}${nextLetter(signature.at(-1))}`,
  ...spaces.flatMap((space) => [
    space + good,
    good + space,
    `${header}.${space}${payload}.${signature}`,
  ]),
];

/** The letter whose bits differ in those that base64url pads with zeros. */
function nextLetter(letter = 'A'): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return letters.charAt(letters.indexOf(letter) + 1) || 'B';
}

function withSignature(octets: Uint8Array): string {
  return `${header}.${payload}.${Buffer.from(octets).toString('base64url')}`;
}

const order = Buffer.from(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'hex',
);
const zeros = Buffer.alloc(32);
const signatures = [
  withSignature(new Uint8Array(64)),
  withSignature(Buffer.concat([order, order])),
  withSignature(Buffer.concat([signatureBytes.subarray(0, 32), zeros])),
  withSignature(Buffer.concat([zeros, signatureBytes.subarray(32)])),
  withSignature(new Uint8Array(64).fill(255)),
  withSignature(Buffer.concat([signatureBytes.subarray(32), signatureBytes.subarray(0, 32)])),
  ...[1, 8, 31, 32, 33, 63].map((length) => withSignature(signatureBytes.subarray(0, length))),
  ...[1, 8, 64].map((length) =>
    withSignature(Buffer.concat([signatureBytes, Buffer.alloc(length)])),
  ),
  ...[1, 8].map((length) => withSignature(Buffer.concat([Buffer.alloc(length), signatureBytes]))),
  ...Array.from({ length: 64 }, (_, index) => {
    const flipped = Buffer.from(signatureBytes);
    flipped[index] = (flipped[index] ?? 0) ^ 1;
    return withSignature(flipped);
  }),
];

const rebuilt = [
  `${header}.${base64url({ ...claims, iss: 'desk-1' })}.${signature}`,
  `${base64url({ alg: 'ES256' })}.${payload}.${signature}`,
  `${payload}.${header}.${signature}`,
  `${header}.${payload}`,
  `${header}.${payload}.${signature}.${signature}`,
  `${header}.${payload}.${signature}.${signature}.${signature}`,
  `${header}..${signature}`,
  `.${payload}.${signature}`,
  JSON.stringify({ payload, protected: header, signature }),
  signJwt({ alg: 'ES256', cty: 'JWT' }, base64url(good), privateKey),
  signJwt({ alg: 'RS256', kid: 'k1' }, claims, rsa.privateKey),
  signJwt({ alg: 'EdDSA', kid: 'k1' }, claims, ed.privateKey),
  signJwt({ alg: 'ES256', kid: 'k1' }, claims, generateClientKey('ES256').privateKey),
  signJwt({ alg: 'ES256', pad: 'x'.repeat(8192) }, claims, privateKey),
  signJwt({ alg: 'ES256' }, { ...claims, pad: 'x'.repeat(1_000_000) }, privateKey),
];

const hostile = {
  'that is no JWT': texts,
  'that is not signed': unsigned,
  'of a MAC with something public as secret': confused,
  'of another algorithm': otherAlgorithms,
  'whose algorithm is no text': algTypes,
  'that brings a key or changes the reading': broughtKeys,
  'whose header has other types': headerTypes,
  'whose header is no single object': twice,
  'whose claims are no single object': claimTexts,
  'that is not UTF-8': badUtf8,
  'spelled otherwise': spellings,
  'with another signature': signatures,
  'put together from parts': rebuilt,
};

describe('T17: refuses every JWT', () => {
  it.each(Object.entries(hostile))('%s', async (_what, jwts) => {
    for (const text of jwts)
      expect([text.slice(0, 300), await accepts(text)]).toEqual([text.slice(0, 300), false]);
  });

  it('of at least two hundred', () => {
    expect(new Set(Object.values(hostile).flat()).size).toBeGreaterThanOrEqual(200);
  });
});

it('a header names an algorithm by its name alone, or Ed25519 by either', () => {
  expect(namesAlgorithm('ES256', 'ES256')).toBe(true);
  expect(namesAlgorithm('Ed25519', 'EdDSA')).toBe(true);
  expect(namesAlgorithm('EdDSA', 'Ed25519')).toBe(false);
  expect(namesAlgorithm('RS256', 'ES256')).toBe(false);
});

it('a signature is verified with the key of its own algorithm', async () => {
  for (const [alg, pair] of [
    ['RS256', rsa],
    ['PS256', rsa],
    ['EdDSA', ed],
  ] as const) {
    const jwt = readSignedJwt(signJwt({ alg }, claims, pair.privateKey));
    expect(jwt && (await isSignedBy(jwt, alg, [pair.jwk]))).toBe(true);
    expect(jwt && (await isSignedBy(jwt, 'ES256', [pair.jwk]))).toBe(false);
    expect(jwt && (await isSignedBy(jwt, alg, [jwk]))).toBe(false);
  }
});
