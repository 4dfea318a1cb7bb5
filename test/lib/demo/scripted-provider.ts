/**
 * A provider that answers what a case tells it to, with discovery and keys, to see what the pump
 * makes of each answer.
 */
import { createServer } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { closeServer, listenOnLoopback } from '../../../lib/local/loopback.ts';

/** An answer of an endpoint. */
export interface Scripted {
  status: number;
  body: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** A running provider, and what it was asked. */
export interface ScriptedProvider {
  issuer: string;
  /** The answers to come of each endpoint; the last one is given again and again. */
  asked: Scripted[];
  polled: Scripted[];
  /** The forms that the backchannel endpoint was sent. */
  requests: URLSearchParams[];
  /** An ID Token that is this provider's. */
  idToken(claims: Record<string, unknown>): Promise<string>;
  /** The same without a signature, or with that of somebody who has not the key. */
  unsigned(claims: Record<string, unknown>): string;
  forged(claims: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
}

export const acknowledged: Scripted = {
  status: 200,
  body: { auth_req_id: 'ref.secret', expires_in: 120, interval: 0.01 },
};

export const oauthError = (status: number, error: string): Scripted => ({
  status,
  body: { error, error_description: 'Why. (Correlation ID: ref.correlation-1)' },
});

const kid = 'key-1';

export async function startScriptedProvider(
  alg: 'ES256' | 'RS256' = 'ES256',
): Promise<ScriptedProvider> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const foreign = await generateKeyPair(alg);
  const requests: URLSearchParams[] = [];
  const script: Pick<ScriptedProvider, 'asked' | 'polled'> = { asked: [], polled: [] };
  const next = (answers: Scripted[]) => (answers.length > 1 ? answers.shift() : answers[0]);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const answer = await answerTo(request.url, body);
    response.writeHead(answer?.status ?? 404, {
      'content-type': 'application/json',
      ...answer?.headers,
    });
    response.end(JSON.stringify(answer?.body));
  });
  const issuer = `http://localhost:${await listenOnLoopback(server, { port: 0 })}`;

  async function answerTo(path: string | undefined, body: string): Promise<Scripted | undefined> {
    switch (path) {
      case '/.well-known/openid-configuration':
        return { status: 200, body: metadata };
      case '/jwks':
        return { status: 200, body: { keys: [{ ...(await exportJWK(publicKey)), alg, kid }] } };
      case '/cibaAuthorization':
        requests.push(new URLSearchParams(body));
        return next(script.asked);
      default:
        return next(script.polled);
    }
  }

  const metadata = {
    issuer,
    backchannel_authentication_endpoint: `${issuer}/cibaAuthorization`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    id_token_signing_alg_values_supported: [alg],
  };
  const usual = { sub: 'u-alice', aud: 'pump-4' };
  const sign = (claims: Record<string, unknown>, key: CryptoKey) =>
    new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg, kid })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('1 minute')
      .sign(key);
  return Object.assign(script, {
    issuer,
    requests,
    idToken: (claims: Record<string, unknown>) => sign(claims, privateKey),
    unsigned: (claims: Record<string, unknown>) =>
      new UnsecuredJWT({ ...usual, ...claims })
        .setIssuer(issuer)
        .setIssuedAt()
        .setExpirationTime('1 minute')
        .encode(),
    forged: (claims: Record<string, unknown>) => sign(claims, foreign.privateKey),
    stop: () => closeServer(server),
  });
}
