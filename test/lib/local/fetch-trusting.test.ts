/** The `fetch` that trusts one CA: what it sends and reads, and whom it does not believe. */
import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FetchOptions, fetchTrusting } from '../../../lib/local/fetch-trusting.ts';
import { issueAuthority, issueServerCertificate } from '../../../lib/local/issue-certificate.ts';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';

const now = new Date();
const authority = issueAuthority(now);
let server: Server;
let url: string;

beforeAll(async () => {
  const { certificate, privateKey } = issueServerCertificate(authority, now);
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
  server = createServer({ cert: certificate, key }, async (request, response) => {
    if (request.url === '/slow') return undefined;
    if (request.url === '/empty') return response.writeHead(204).end();
    const { method, headers } = request;
    response.writeHead(request.url === '/moved' ? 302 : 400, {
      location: '/',
      'x-two': ['1', '2'],
    });
    return response.end(JSON.stringify({ method, headers, body: await text(request) }));
  });
  url = `https://localhost:${await listenOnLoopback(server, { port: 0 })}`;
});
afterAll(() => closeServer(server));

const ask = (path: string, options: Partial<FetchOptions> = {}, ca = authority.certificate) =>
  fetchTrusting(ca)(`${url}${path}`, { method: 'GET', headers: {}, body: undefined, ...options });

describe('fetchTrusting', () => {
  it('P50: sends a form and reads the answer, as fetch does', async () => {
    const answer = await ask('/token', {
      method: 'POST',
      headers: { authorization: 'Basic abc' },
      body: new URLSearchParams({ a: 'b c' }),
    });
    expect([answer.status, answer.ok, answer.headers.get('x-two')]).toEqual([400, false, '1, 2']);
    expect(await answer.json()).toMatchObject({
      method: 'POST',
      headers: {
        authorization: 'Basic abc',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        'content-length': '5',
      },
      body: 'a=b+c',
    });
  });

  it('P50: reads an answer without a body, and follows no redirect', async () => {
    const empty = await ask('/empty');
    expect([empty.status, await empty.text()]).toEqual([204, '']);
    expect((await ask('/moved')).status).toBe(302);
  });

  it('P50: gives up when it is told to', async () => {
    const signal = AbortSignal.timeout(50);
    await expect(ask('/slow', { signal })).rejects.toThrow(/aborted/);
  });

  it('P50: does not believe a server of another CA', async () => {
    const stranger = issueAuthority(now).certificate;
    await expect(ask('/', {}, stranger)).rejects.toThrow(/unable to verify/);
  });
});
