/**
 * What anybody may read: discovery (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3), the public keys (RFC 7517),
 * a page for client developers at the issuer itself, and the logos of clients. It is the same for everyone, so caches may keep it.
 */
import { isClientId } from '../ciba/client.ts';
import { isLogoHash } from '../ciba/client-logo.ts';
import { providerMetadata } from '../ciba/provider-metadata.ts';
import { describeCause, elapsedMs, type Log } from '../log.ts';
import type { Clock, Logos, PublicKeys } from '../ports.ts';
import { logoPath, routes } from '../routes.ts';
import { developerPage } from './developer-page.ts';

export interface MetadataDeps {
  issuer: string;
  keys: PublicKeys;
  logos: Logos;
  clock: Clock;
  log: Log;
}

/** How long a cache may serve discovery and the page, in seconds. */
const DISCOVERY_MAX_AGE = 3600;

/** How long a cache may serve the keys, in seconds: far less than the day a new key is published before it signs. */
const JWKS_MAX_AGE = 300;

/** How long a cache may serve a logo, in seconds: another image has another address. */
const LOGO_MAX_AGE = 31_536_000;

/** GET and HEAD of the page, /jwks, both well-known documents and logos; 404 elsewhere, 405 with Allow for other methods. */
export function metadataEndpoint(deps: MetadataDeps): (request: Request) => Promise<Response> {
  return async (request) => {
    const started = deps.clock();
    const { response, cause } = await answer(deps, request).then(
      (found) => ({ response: found, cause: undefined }),
      (error: unknown) => ({ response: unavailable(), cause: describeCause(error) }),
    );
    deps.log({
      event: 'metadata',
      status: response.status,
      ...(cause !== undefined && { cause }),
      ms: elapsedMs(started, deps.clock()),
    });
    return response;
  };
}

async function answer(deps: MetadataDeps, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const read = documents.get(pathname) ?? logoAt(pathname);
  if (!read) return notFound();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } });
  }
  return read(deps);
}

type ReadDocument = (deps: MetadataDeps) => Response | Promise<Response>;

const documents = new Map<string, ReadDocument>([
  [routes.root, ({ issuer }) => developerPage(issuer, DISCOVERY_MAX_AGE)],
  [routes.jwks, readKeys],
  [routes.openidConfiguration, readDiscovery],
  [routes.oauthAuthorizationServer, readDiscovery],
]);

/** What reads the logo of this address, if it is one that a logo can have. */
function logoAt(pathname: string): ReadDocument | undefined {
  const [clientId = '', hash = ''] = pathname.split('/').slice(2);
  const isLogo = isClientId(clientId) && isLogoHash(hash) && pathname === logoPath(clientId, hash);
  return isLogo ? ({ logos }) => readLogo(logos, clientId, hash) : undefined;
}

/** An image that we made ourselves; should it ever be opened as a page, it is a sandbox without anything in it. */
async function readLogo(logos: Logos, clientId: string, hash: string): Promise<Response> {
  const png = await logos.findLogo(clientId, hash);
  if (!png) return notFound();
  return new Response(png, {
    headers: {
      'Content-Type': 'image/png',
      'Cache-Control': `public, max-age=${LOGO_MAX_AGE}, immutable`,
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}

async function readKeys({ keys }: MetadataDeps): Promise<Response> {
  const body = { keys: await keys.publicKeys() };
  return publicDocument(body, 'application/jwk-set+json', JWKS_MAX_AGE);
}

function readDiscovery({ issuer }: MetadataDeps): Response {
  return publicDocument(providerMetadata(issuer, routes), 'application/json', DISCOVERY_MAX_AGE);
}

function publicDocument(body: object, mediaType: string, maxAge: number): Response {
  return new Response(JSON.stringify(body), {
    headers: {
      'Content-Type': mediaType,
      'Cache-Control': `public, max-age=${maxAge}`,
      // Browsers of any origin may read what anybody may read.
      'Access-Control-Allow-Origin': '*',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}

function unavailable(): Response {
  return new Response(null, {
    status: 503,
    headers: { 'Retry-After': '2', 'Cache-Control': 'no-store' },
  });
}
