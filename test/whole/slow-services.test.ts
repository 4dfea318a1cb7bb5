/**
 * O12: services that answer slowly, by the deployed bundles under Lambda's time limit: each
 * endpoint gives an answer of its own in time, and what was asked once is mailed once at most.
 */
import type { Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../lib/local/loopback.ts';
import { forward, readAgain } from '../../lib/local/services/forward.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../support/synthesized-host.ts';

const servers: Server[] = [];
let delaySeconds = 0;
let host: SynthesizedHost;

/** The service behind, which answers after the delay. */
async function slowed(service: string): Promise<string> {
  const server = createAsyncServer(async (request, response) => {
    const body = await buffer(request);
    await sleep(delaySeconds * 1000);
    await forward(readAgain(request, body), response, service);
  });
  servers.push(server);
  return loopbackUrl(await listenOnLoopback(server, { port: 0 }));
}

const client_secret = 'the secret of a client with slow services';
const directory = parseDirectory({
  clients: [
    {
      client_id: 'patient',
      client_name: 'Patient',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  users: ['0', '0.5', '1', '1.5', '1.8', '2', '4'].map((name) => ({
    sub: `u-${name}`,
    username: `user-${name}`,
    email: `user-${name}@example.com`,
    email_verified: true,
  })),
});

beforeAll(async () => {
  host = await startSynthesizedHost({
    interpose: async ({ dynamodb, sesv2, stepFunctions }) => ({
      dynamodb: await slowed(dynamodb),
      sesv2,
      stepFunctions: await slowed(stepFunctions),
    }),
  });
  await host.applyDirectory(directory, { prune: true });
});
afterAll(async () => {
  await host.stop();
  await Promise.all(servers.map(closeServer));
});

function post(path: string, parameters: Record<string, string>) {
  const body = new URLSearchParams({ client_id: 'patient', client_secret, ...parameters });
  return answerOf(path, { method: 'POST', body });
}

async function answerOf(path: string, init: RequestInit = {}) {
  const response = await fetch(host.issuer + path, init);
  return { status: response.status, body: await response.text() };
}

const ask = (user: string) =>
  post('/cibaAuthorization', { scope: 'openid', login_hint: `user-${user}` });

async function mailsTo(user: string): Promise<number> {
  const mails = await (await fetch(`${host.inbox}/store`)).text();
  return mails.split(`"user-${user}@example.com"`).length - 1;
}

// The worst is what each single call still bears, and their sum does not.
it.each([0.5, 1, 1.5, 1.8, 2, 4])('O12: services that answer after %s s', async (seconds) => {
  const { auth_req_id } = JSON.parse((await ask('0')).body);
  const link = `/approve/${'a'.repeat(26)}.${'b'.repeat(43)}`;
  const grant_type = 'urn:openid:params:grant-type:ciba';
  delaySeconds = seconds;
  const [asked, polled, page, keys] = await Promise.all([
    ask(String(seconds)),
    post('/token', { grant_type, auth_req_id }),
    answerOf(link),
    answerOf('/jwks'),
  ]);
  delaySeconds = 0;

  // Of a function that Lambda ended, API Gateway says 500.
  const unavailable = { error: 'temporarily_unavailable' };
  const isSlow = seconds > 2;
  expect(asked.status).toBeOneOf(isSlow ? [503] : [200, 503]);
  expect(polled.status).toBeOneOf(isSlow ? [503] : [400, 503]);
  if (asked.status === 503) expect(JSON.parse(asked.body)).toMatchObject(unavailable);
  if (polled.status === 503) expect(JSON.parse(polled.body)).toMatchObject(unavailable);
  expect(page.status).toBeOneOf([404, 410, 503]);
  expect(page.body).toMatch(/^<!doctype html>/i);
  expect(keys.status).toBeOneOf([200, 503]);

  // Whatever was begun ends, and the services are well again.
  await sleep(500);
  expect(await mailsTo(String(seconds))).toBeLessThanOrEqual(1);
  expect((await post('/token', { grant_type, auth_req_id })).status).toBe(400);
});
