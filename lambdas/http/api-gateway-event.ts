/**
 * API Gateway's HTTP API, payload format 2.0, to Web `Request` and back.
 * The URL is built from the configured issuer; no host name of the request is ever used.
 */
import * as z from 'zod/mini';
import { FORM_BYTES } from './form.ts';

/** The members we read of an event. */
const httpEvent = z.object({
  rawPath: z.string(),
  rawQueryString: z.optional(z.string()),
  headers: z._default(z.record(z.string(), z.string()), {}),
  requestContext: z.object({
    http: z.object({ method: z.string(), sourceIp: z.optional(z.string()) }),
    requestId: z.optional(z.string()),
  }),
  body: z.optional(z.string()),
  isBase64Encoded: z.optional(z.boolean()),
});

/**
 * What API Gateway itself says of a request, which no header of the request can say in its place.
 */
export interface Caller {
  /** The request's id in the access log of the API. */
  requestId?: string | undefined;
  /** The address that the connection came from, of IPv4 or IPv6. */
  sourceIp?: string | undefined;
}

interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

/** A Lambda handler that answers HTTP API events with a Web endpoint below the issuer. */
export function httpHandler(
  issuer: string,
  endpoint: (request: Request, caller: Caller) => Promise<Response>,
): (event: unknown) => Promise<HttpResult> {
  return async (input) => {
    const event = httpEvent.parse(input);
    // With HEAD the body goes too: API Gateway leaves it out, and counts it for Content-Length (RFC
    // 9110 8.6, 9.3.2).
    return toHttpResult(await endpoint(toRequest(event, issuer), callerOf(event)));
  };
}

function callerOf({ requestContext }: z.output<typeof httpEvent>): Caller {
  return { requestId: requestContext.requestId, sourceIp: requestContext.http.sourceIp };
}

function toRequest(event: z.output<typeof httpEvent>, issuer: string): Request {
  const { method } = event.requestContext.http;
  const query = event.rawQueryString ? `?${event.rawQueryString}` : '';
  const url = new URL(issuer);
  url.pathname = event.rawPath;
  url.search = query;
  const body = bodyOf(event, method);
  const request = new Request(url, {
    method: body ? 'POST' : 'GET',
    headers: forwardable(event.headers),
    ...(body && { body }),
  });
  // The fetch standard makes no request of TRACE and writes `post` as POST; an endpoint judges the
  // method that was sent.
  return Object.defineProperty(request, 'method', { value: method });
}

/**
 * Headers as the fetch standard takes them; one with a character it refuses says nothing to us and
 * is left out.
 */
function forwardable(headers: Record<string, string>): Headers {
  const taken = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      taken.append(name, value);
    } catch {
      // Not a header by the standard's grammar.
    }
  }
  return taken;
}

/**
 * More than any endpoint reads, by an octet at least: what is beyond is never decoded. A character
 * is one octet or more.
 */
const BODY_CHARACTERS = { base64: Math.ceil((FORM_BYTES + 1) / 3) * 4, utf8: FORM_BYTES + 1 };

function bodyOf(event: z.output<typeof httpEvent>, method: string): Buffer | undefined {
  // The fetch standard has no body on these.
  if (method === 'GET' || method === 'HEAD' || event.body === undefined) return undefined;
  const encoding = event.isBase64Encoded ? 'base64' : 'utf8';
  return Buffer.from(event.body.slice(0, BODY_CHARACTERS[encoding]), encoding);
}

/** The body goes as JSON does: a text as it is, an image in base64. */
async function toHttpResult(response: Response): Promise<HttpResult> {
  const isImage = response.headers.get('Content-Type')?.startsWith('image/') === true;
  const body = Buffer.from(await response.arrayBuffer());
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: body.toString(isImage ? 'base64' : 'utf8'),
    isBase64Encoded: isImage,
  };
}
