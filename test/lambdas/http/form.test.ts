/**
 * Form bodies: strict, bounded, nothing twice (RFC 6749 3.2 and appendix B, CIBA Core 7.1).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORM_BYTES, readForm } from '../../../lambdas/http/form.ts';
import { anyText } from '../../support/any-text.ts';

const mediaType = 'application/x-www-form-urlencoded';

/** The parameters of a body for an endpoint that reads a few of them. */
function read(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'Content-Type': mediaType },
  names: readonly string[] = ['a', 'b', '__proto__'],
) {
  return readForm(new Request('https://ciba.example/', { method: 'POST', body, headers }), names);
}

describe('readForm', () => {
  it.each<[string, Record<string, string>]>([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1+2%203', { a: '1 2 3' }],
    ['a=%C3%A9%E7%B5%A6', { a: 'é給' }],
    ['a=b=c', { a: 'b=c' }],
    ['%61=1', { a: '1' }],
    ['a=&b=1', { b: '1' }],
    ['a&b=1', { b: '1' }],
    ['&a=1&&', { a: '1' }],
    ['', {}],
    ['__proto__=1', { ['__proto__']: '1' }],
  ])('reads %j', async (body, parameters) => {
    expect([...(await read(body))]).toEqual(Object.entries(parameters));
  });

  it.each([
    ['a twice', 'a=1&a=1'],
    ['a twice, once empty', 'a=&a=1'],
    ['a twice, once encoded', 'a=1&%61=1'],
    ['broken percent-encoding', 'a=%zz'],
    ['invalid UTF-8, encoded', 'a=%ff'],
    ['a surrogate, encoded', 'a=%ED%A0%80'],
    ['invalid UTF-8', Uint8Array.from([0x61, 0x3d, 0xff])],
  ])('refuses %s with invalid_request', async (_what, body) => {
    await expect(read(body)).rejects.toMatchObject({ code: 'invalid_request', status: undefined });
  });

  it.each<[string, Record<string, string>]>([
    ['a=1&x=1&x=2', { a: '1' }],
    ['x=1&a=1&x=', { a: '1' }],
    ['A=1&a=2', { a: '2' }],
    ['%78=1&x=2&b=3', { b: '3' }],
    [`a=1&${'x=y&'.repeat(4000)}`, { a: '1' }],
  ])(
    'P19: reads what it is asked for, however often others are there: %j',
    async (body, parameters) => {
      expect([...(await read(body))]).toEqual(Object.entries(parameters));
    },
  );

  it.each([
    mediaType,
    `${mediaType};charset=UTF-8`,
    `${mediaType} ; charset="utf-8"`,
    mediaType.toUpperCase(),
  ])('takes %s', async (type) => {
    expect(await read('a=1', { 'Content-Type': type })).toEqual(new Map([['a', '1']]));
  });

  it.each([
    'text/plain',
    'application/json',
    `${mediaType};charset=utf-16`,
    `${mediaType}, text/plain`,
    `x${mediaType}`,
  ])('refuses %s', async (type) => {
    await expect(read('a=1', { 'Content-Type': type })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('takes 16 KB and refuses a byte more with 413', async () => {
    expect(FORM_BYTES).toBe(16_384);
    const body = `a=${'x'.repeat(FORM_BYTES - 2)}`;
    expect((await read(body)).get('a')).toHaveLength(FORM_BYTES - 2);
    await expect(read(`${body}x`)).rejects.toMatchObject({ code: 'invalid_request', status: 413 });
  });

  it('refuses another method with 405', async () => {
    const request = new Request('https://ciba.example/', { method: 'PUT', body: 'a=1' });
    await expect(readForm(request, [])).rejects.toMatchObject({ status: 405 });
  });
});

it('T30: reads what the platform’s own form encoding writes, and drops the empty ones', async () => {
  const text = anyText(12).map((any) => any.replaceAll('\0', ''));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(text, text, { noNullPrototype: true }), async (parameters) => {
      const sent = Object.entries(parameters);
      const body = new URLSearchParams(sent).toString();
      const form = await read(body, { 'Content-Type': mediaType }, Object.keys(parameters));
      expect([...form]).toEqual(sent.filter(([, value]) => value !== ''));
    }),
    { numRuns: 500 },
  );
});

it.each(['a%00b=c', 'a=%00', 'unknown=x%00y', 'a=b\0c'])('T30: refuses NUL: %j', async (body) => {
  await expect(read(body)).rejects.toMatchObject({ code: 'invalid_request' });
});

it.each([
  ['a method in another case', 'post'],
  ['GET', 'GET'],
  ['HEAD', 'HEAD'],
  ['OPTIONS', 'OPTIONS'],
  ['DELETE', 'DELETE'],
])('of the method %s says what is allowed', async (_what, method) => {
  const request = new Request('https://ciba.example/', { method });
  const answer = await readForm(request, []).then(
    () => 'read',
    ({ status }) => status,
  );
  // The fetch standard spells `post` as POST; without a body its media type is the fault.
  expect(answer).toBe(request.method === 'POST' ? undefined : 405);
});

it('refuses a body without a media type', async () => {
  const body = new TextEncoder().encode('a=1');
  const request = new Request('https://ciba.example/', { method: 'POST', body });
  await expect(readForm(request, [])).rejects.toMatchObject({ code: 'invalid_request' });
});
