/**
 * What a client may register as its logo (OpenID Connect Registration 2, `logo_uri`; threats T31).
 */
import { describe, expect, it } from 'vitest';
import {
  isLogoHash,
  LOGO_BYTES,
  logoTypeOf,
  logoUriOf,
  parseLogoUri,
} from '../../../../lambdas/ciba/client/client-logo.ts';
import { quarters } from '../../../support/example-images.ts';

const { png, jpeg, gif } = quarters;
const base64 = jpeg.toString('base64');

describe('a logo_uri', () => {
  it.each([
    ['png', png],
    ['jpeg', jpeg],
    ['gif', gif],
    ['gif', Buffer.from('GIF89a')],
  ] as const)('holds an image of type %s', (type, bytes) => {
    const uri = logoUriOf({ type, bytes });
    expect(uri).toBe(`data:image/${type};base64,${bytes.toString('base64')}`);
    expect(parseLogoUri(uri)).toEqual({ type, bytes });
  });

  it('holds 1 MB and not one byte more', () => {
    for (const more of [-1, 0]) {
      const bytes = Buffer.concat([png, Buffer.alloc(LOGO_BYTES - png.length + more)]);
      expect(parseLogoUri(logoUriOf({ type: 'png', bytes }))?.bytes).toHaveLength(
        LOGO_BYTES + more,
      );
    }
    for (const more of [1, 2, 3, LOGO_BYTES]) {
      const bytes = Buffer.concat([png, Buffer.alloc(LOGO_BYTES - png.length + more)]);
      expect([more, parseLogoUri(logoUriOf({ type: 'png', bytes }))]).toEqual([more, undefined]);
    }
  });

  it.each([
    ['an address elsewhere', 'https://client.example/logo.png'],
    ['a path', 'logos/pump.png'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:alert(1)'],
    ['an SVG', `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`],
    ['a page', `data:text/html;base64,${Buffer.from('<script>').toString('base64')}`],
    ['a page that says it is a PNG', `data:image/png;base64,${btoa('<!doctype html>')}`],
    ['an SVG that says it is a PNG', `data:image/png;base64,${btoa('<svg onload="x()"/>')}`],
    ['a JPEG that says it is a PNG', `data:image/png;base64,${jpeg.toString('base64')}`],
    ['a type of another case', `data:image/JPEG;base64,${base64}`],
    ['a type that is none', `data:image/jpg;base64,${base64}`],
    ['a parameter', `data:image/jpeg;charset=x;base64,${base64}`],
    ['no base64', `data:image/jpeg,${base64}`],
    ['base64 with a break', `data:image/jpeg;base64,${base64.slice(0, 40)}\n${base64.slice(40)}`],
    ['base64 without its end', `data:image/jpeg;base64,${base64.replace(/=+$/, '')}`],
    ['base64 of the other alphabet', `data:image/jpeg;base64,${base64.replaceAll('/', '_')}`],
    ['something before', ` data:image/jpeg;base64,${base64}`],
    ['something behind', `data:image/jpeg;base64,${base64}#x`],
    ['nothing', ''],
    ['an empty image', 'data:image/png;base64,'],
  ])('is not %s', (_what, uri) => {
    expect(parseLogoUri(uri)).toBeUndefined();
  });
});

it.each([
  ['nothing', ''],
  ['half a signature', '\x89PNG'],
  ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['another kind of image', 'RIFF\0\0\0\0WEBP'],
  ['a signature further back', ' GIF89a'],
])('%s is no image of a known type', (_what, text) => {
  expect(logoTypeOf(Buffer.from(text, 'latin1'))).toBeUndefined();
});

it.each([
  ['a'.repeat(43), true],
  [`${'-_9'.repeat(14)}Z`, true],
  ['a'.repeat(42), false],
  ['a'.repeat(44), false],
  [`${'a'.repeat(42)}.`, false],
  [`${'a'.repeat(43)}\n`, false],
])('whether %j can be the hash of a logo: %s', (text, can) => {
  expect(isLogoHash(text)).toBe(can);
});
