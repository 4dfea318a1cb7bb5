/**
 * The stand-ins for Headers, Request and Response in the bundles mean what the platform's mean,
 * case by case.
 */
import { describe, expect, it } from 'vitest';
import * as light from '../../../lambdas/bundling/web-messages.ts';

describe.each([
  ['the platform', { Headers, Request, Response }],
  ['the stand-ins', light],
] as const)('%s', (_whose, web) => {
  it('finds a header by its name in any case, and null where there is none', () => {
    const headers = new web.Headers();
    headers.append('Content-Type', ' text/html\t');
    expect(headers.get('content-type')).toBe('text/html');
    expect(headers.get('CONTENT-TYPE')).toBe('text/html');
    expect(headers.get('accept')).toBeNull();
  });

  it('joins what is appended twice', () => {
    const headers = new web.Headers();
    headers.append('accept', 'a');
    headers.append('Accept', 'b');
    expect(headers.get('accept')).toBe('a, b');
  });

  it.each([
    ['bad name', 'x'],
    ['', 'x'],
    ['name', 'line\r\nbreak'],
    ['name', 'nul\0'],
  ])('refuses %j: %j', (name, value) => {
    expect(() => new web.Headers().append(name, value)).toThrow(TypeError);
  });

  it('lists headers by name in lower case, sorted', () => {
    const response = new web.Response('', { headers: { 'X-B': '2', Allow: 'GET' } });
    const names = [...response.headers].map(([name]) => name);
    expect(names.filter((name) => name !== 'content-type')).toEqual(['allow', 'x-b']);
  });

  it('keeps method, URL and bytes of a request', async () => {
    const bytes = Uint8Array.from([0, 255, 10]);
    const url = new URL('https://ciba.example/token?a=b');
    const request = new web.Request(url, { method: 'POST', body: bytes });
    expect([request.method, request.url]).toEqual(['POST', url.href]);
    expect(new Uint8Array(await request.arrayBuffer())).toEqual(bytes);
  });

  it('has an empty body where none was given', async () => {
    const request = new web.Request(new URL('https://ciba.example/'), { method: 'PUT' });
    expect((await request.arrayBuffer()).byteLength).toBe(0);
    const response = new web.Response(null, { status: 204 });
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['text', 'é'],
    ['bytes', Uint8Array.from([0xc3, 0xa9])],
  ])('keeps status and %s of a response, 200 by default', async (_what, body) => {
    const response = new web.Response(body, { status: 409 });
    const bytes = [...new Uint8Array(await response.arrayBuffer())];
    expect([response.status, bytes]).toEqual([409, [0xc3, 0xa9]]);
    expect(new web.Response('').status).toBe(200);
  });
});
