/**
 * A `fetch` that trusts one CA. Node's own learns of a CA from NODE_EXTRA_CA_CERTS alone, and that
 * as its process starts.
 */
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';

/** What is asked, as libraries hand it to their `fetch`. */
export interface FetchOptions {
  method: string;
  headers: Record<string, string>;
  body: RequestInit['body'] | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A function in the place of `fetch`, for https. It trusts this CA instead of those of the system,
 * and verifies names, times and signatures as ever; it follows no redirect.
 * @param ca PEM
 */
export function fetchTrusting(
  ca: string,
): (url: string, options: FetchOptions) => Promise<Response> {
  const agent = new Agent({ ca });
  return async (url, { method, headers, body = null, signal }) => {
    const request = new Request(url, { method, headers, body });
    const asked = httpsRequest(url, {
      agent,
      method,
      headers: Object.fromEntries(request.headers),
      ...(signal && { signal }),
    });
    asked.end(Buffer.from(await request.arrayBuffer()));
    const [answer] = await once(asked, 'response');
    const content = await buffer(answer);
    return new Response(content.length > 0 ? content : null, {
      status: answer.statusCode,
      headers: answer.headers,
    });
  };
}
