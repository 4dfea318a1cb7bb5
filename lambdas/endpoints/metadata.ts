/**
 * What anybody may read: discovery (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3),
 * the public keys (RFC 7517), a page for client developers at the issuer itself, the logos of
 * clients and an icon. It is the same for everyone, so caches may keep it, and ask whether it has
 * changed (RFC 9110 13.1.2).
 */
import { isClientId } from '../ciba/client/client.ts';
import { isLogoHash } from '../ciba/client/client-logo.ts';
import { providerMetadata } from '../ciba/provider-metadata.ts';
import type { Caller } from '../http/api-gateway-event.ts';
import { type RouteKind, responseHeaders } from '../http/response-headers.ts';
import { faultOf, type Log, requestIdOf, startLine } from '../log.ts';
import type { Clock, Logos, PublicKeys } from '../ports.ts';
import { logoPath, routes } from '../routes.ts';
import { developerPage, developerPagePolicy } from './developer-page.ts';
import { entityTag, isNamedBy } from './entity-tag.ts';
import { siteIcon } from './site-icon.ts';

export interface MetadataDeps {
  issuer: string;
  keys: PublicKeys;
  logos: Logos;
  clock: Clock;
  log: Log;
}

/** What answers at one address. */
interface PublicDocument {
  kind: RouteKind;
  /** Beside those of its kind, where it is found. */
  headers?: Record<string, string>;
  /** What is there; `undefined` for what is not, or not any more. */
  read(deps: MetadataDeps): Body | Promise<Body>;
}

type Body = string | Uint8Array | undefined;

/**
 * ANY of the page, /jwks, both well-known documents, logos and the icon: 200 or 304 for GET and
 * HEAD, 204 with Allow for OPTIONS, 405 with Allow for other methods; 404 elsewhere.
 */
export function metadataEndpoint(
  deps: MetadataDeps,
): (request: Request, caller?: Caller) => Promise<Response> {
  return async (request, caller = {}) => {
    const log = startLine(deps);
    const document = documentAt(new URL(request.url).pathname);
    const { response, fault } = await answer(deps, request, document).then(
      (found) => ({ response: found, fault: {} }),
      (error: unknown) => ({
        response: bare(deps, document, 503, { 'Retry-After': '2' }),
        fault: faultOf(error),
      }),
    );
    log({ event: 'metadata', ...requestIdOf(caller), status: response.status, ...fault });
    return response;
  };
}

/** The checks in order, each with its clause of RFC 9110. */
async function answer(
  deps: MetadataDeps,
  request: Request,
  document: PublicDocument,
): Promise<Response> {
  // 15.5.5: the address is one that a document or a logo can have.
  if (document === nowhere) return bare(deps, document, 404);
  // 9.3.7: OPTIONS asks for the methods alone.
  if (request.method === 'OPTIONS') return bare(deps, document, 204);
  // 15.5.6: the other methods are GET and HEAD.
  if (request.method !== 'GET' && request.method !== 'HEAD') return bare(deps, document, 405);
  const body = await document.read(deps);
  // 15.5.5: there is such a logo.
  if (body === undefined) return bare(deps, document, 404);
  const tag = entityTag(body);
  // 13.1.2, 15.4.5: the caller has it already.
  const isKnown = isNamedBy(request.headers.get('if-none-match'), tag);
  const status = isKnown ? 304 : 200;
  const headers = {
    ...responseHeaders(document.kind, status, deps.issuer),
    ...document.headers,
    ETag: tag,
  };
  return new Response(isKnown ? null : body, { status, headers });
}

/** An answer that is the status and its headers alone. */
function bare(
  { issuer }: MetadataDeps,
  { kind }: PublicDocument,
  status: number,
  more: Record<string, string> = {},
): Response {
  return new Response(null, {
    status,
    headers: { ...responseHeaders(kind, status, issuer), ...more },
  });
}

const discovery: PublicDocument = {
  kind: 'discovery',
  read: ({ issuer }) => JSON.stringify(providerMetadata(issuer, routes)),
};

const documents = new Map<string, PublicDocument>([
  [
    routes.root,
    {
      kind: 'developer_page',
      headers: developerPagePolicy,
      read: ({ issuer }) => developerPage(issuer),
    },
  ],
  [
    routes.jwks,
    {
      kind: 'keys',
      read: async ({ keys }) => JSON.stringify({ keys: await keys.publicKeys() }),
    },
  ],
  [routes.openidConfiguration, discovery],
  [routes.oauthAuthorizationServer, discovery],
  [routes.icon, { kind: 'icon', read: () => siteIcon }],
]);

/** Paths that are none of ours, and those that no logo can have. */
const nowhere: PublicDocument = { kind: 'elsewhere', read: () => undefined };

function documentAt(pathname: string): PublicDocument {
  return documents.get(pathname) ?? logoAt(pathname) ?? nowhere;
}

/** The logo of this address, if it is one that a logo can have: an image that we made ourselves. */
function logoAt(pathname: string): PublicDocument | undefined {
  const [clientId = '', hash = ''] = pathname.split('/').slice(2);
  const isLogo = isClientId(clientId) && isLogoHash(hash) && pathname === logoPath(clientId, hash);
  if (!isLogo) return undefined;
  return { kind: 'logo', read: ({ logos }) => logos.findLogo(clientId, hash) };
}
