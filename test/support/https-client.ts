/**
 * A client that knows https alone, as a process: two unmodified libraries take a request from its
 * start to refreshed tokens, the user approves by the mail's link. Whom it trusts is Node's affair:
 * `https-client.ts ISSUER INBOX CLIENT SECRET USER` prints who approved, one line of JSON for each
 * library.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { decide } from '../black-box/authentication-device.ts';

const [issuer = '', inbox = '', client_id = '', secret = '', login_hint = ''] =
  process.argv.slice(2);
const asked = { scope: 'openid offline_access', login_hint, binding_message: 'over https' };

for (const run of [withOpenidClient, withOauth4webapi]) {
  process.stdout.write(`${JSON.stringify(await run())}\n`);
}

async function withOpenidClient() {
  const authentication = oidc.ClientSecretBasic(secret);
  const config = await oidc.discovery(new URL(issuer), client_id, undefined, authentication);
  oidc.enableNonRepudiationChecks(config);
  const request = await oidc.initiateBackchannelAuthentication(config, asked);
  const { auth_req_id } = request;
  const grantType = 'urn:openid:params:grant-type:ciba';
  const firstPoll = await oidc
    .genericGrantRequest(config, grantType, { auth_req_id })
    .catch((error) => error.error);
  const link = await approve(auth_req_id);
  const tokens = await oidc.pollBackchannelAuthenticationGrant(config, request);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  return { library: 'openid-client', firstPoll, link, ...pick(tokens, refreshed.claims()) };
}

async function withOauth4webapi() {
  const client: oauth.Client = { client_id };
  const authentication = oauth.ClientSecretBasic(secret);
  const url = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
  const { auth_req_id } = await oauth.processBackchannelAuthenticationResponse(
    server,
    client,
    await oauth.backchannelAuthenticationRequest(server, client, authentication, asked),
  );
  const poll = async () =>
    oauth.processBackchannelAuthenticationGrantResponse(
      server,
      client,
      await oauth.backchannelAuthenticationGrantRequest(
        server,
        client,
        authentication,
        auth_req_id,
      ),
    );
  const firstPoll = await poll().catch((error) => error.error);
  const link = await approve(auth_req_id);
  const tokens = await poll();
  const refreshed = await oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication,
      tokens.refresh_token ?? '',
    ),
  );
  const claims = oauth.getValidatedIdTokenClaims(refreshed);
  return { library: 'oauth4webapi', firstPoll, link, ...pick(tokens, claims) };
}

function pick(tokens: { scope?: string }, claims: { iss: string; sub: string } | undefined) {
  return { scope: tokens.scope, iss: claims?.iss, sub: claims?.sub };
}

interface Mail {
  body: { text: string };
}

/** Answers where the link of the mail leads. */
async function approve(authReqId: string): Promise<string> {
  const [ref = ''] = authReqId.split('.');
  for (;;) {
    const stored = await (await fetch(`${inbox}/store`)).json();
    const texts: string[] = Object(stored).emails.map((mail: Mail) => mail.body.text);
    const link = texts.find((text) => text.includes(ref))?.match(/https?:\/\/\S+/)?.[0];
    if (link !== undefined) {
      await decide(link, 'approve');
      return new URL(link).origin;
    }
    await sleep(100);
  }
}
