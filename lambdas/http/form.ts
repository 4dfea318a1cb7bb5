/**
 * Form bodies of the protocol's endpoints (RFC 6749 appendix B, CIBA Core 7.1): strict, bounded, nothing twice.
 */
import { OAuthError } from '../ciba/oauth-error.ts';

/** The largest body that is read, in bytes. */
export const FORM_BYTES = 16 * 1024;

const mediaType = /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"?)? *$/i;

export type Form = ReadonlyMap<string, string>;

/**
 * The parameters of a POST. Empty ones count as absent (RFC 6749 3.2), one that occurs twice is an error even so.
 * @throws OAuthError `invalid_request`: 405 with Allow for another method, 413 over {@link FORM_BYTES}, 400 otherwise
 */
export async function readForm(request: Request): Promise<Form> {
  if (request.method !== 'POST') {
    throw new OAuthError('invalid_request', 'The method must be POST.', {
      status: 405,
      headers: { Allow: 'POST' },
    });
  }
  if (!mediaType.test(request.headers.get('content-type') ?? '')) {
    throw new OAuthError(
      'invalid_request',
      'The Content-Type must be application/x-www-form-urlencoded in UTF-8.',
    );
  }
  const body = await request.arrayBuffer();
  if (body.byteLength > FORM_BYTES) {
    throw new OAuthError('invalid_request', `The body is larger than ${FORM_BYTES} bytes.`, {
      status: 413,
    });
  }
  return parseForm(decodeUtf8(body));
}

function parseForm(body: string): Form {
  const parameters = new Map<string, string>();
  for (const pair of body.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (name.includes('\0') || value.includes('\0')) throw notFormEncoded();
    if (parameters.has(name))
      throw new OAuthError('invalid_request', 'A parameter occurs more than once.');
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}

function decodeUtf8(body: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw notFormEncoded();
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw notFormEncoded();
  }
}

function notFormEncoded(): OAuthError {
  return new OAuthError('invalid_request', 'The body is not form-encoded UTF-8.');
}
