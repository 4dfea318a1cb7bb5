/**
 * Form bodies of the protocol's endpoints (RFC 6749 appendix B, CIBA Core 7.1): strict, bounded,
 * and nothing twice that an endpoint reads.
 */
import { OAuthError } from '../ciba/oauth-error.ts';
import { decodeFormText } from '../ciba/percent-encoding.ts';
import { decodeUtf8 } from '../ciba/utf8.ts';
import { type MediaType, parseMediaType } from './media-type.ts';

/** The largest body that is read, in bytes. */
export const FORM_BYTES = 16 * 1024;

export type Form = ReadonlyMap<string, string>;

/**
 * The parameters of a POST that have one of these names. Empty ones count as absent (RFC 6749 3.2),
 * one that occurs twice is an error even so. Of other parameters it is of no interest what and how
 * many they are: they are ignored (RFC 6749 3.2), as long as the body can be read at all. Broken
 * percent-encoding, invalid UTF-8 and NUL are refused wherever they are, since two readers may find
 * different parameters in them.
 * @param names of every parameter that the endpoint reads or refuses
 * @throws OAuthError `invalid_request`: 405 for another method, 415 for a content coding, 413 over
 * {@link FORM_BYTES}, 400 otherwise
 */
export async function readForm(request: Request, names: readonly string[]): Promise<Form> {
  if (request.method !== 'POST') {
    throw new OAuthError('invalid_request', 'The method must be POST.', { status: 405 });
  }
  refuseContentCoding(request.headers.get('content-encoding') ?? '');
  const mediaType = parseMediaType(request.headers.get('content-type') ?? '');
  if (mediaType?.essence !== 'application/x-www-form-urlencoded') throw notAForm();
  const isUtf8 = judgeCharset(mediaType);
  const body = await request.arrayBuffer();
  if (body.byteLength > FORM_BYTES) {
    throw new OAuthError('invalid_request', `The body is larger than ${FORM_BYTES} bytes.`, {
      status: 413,
    });
  }
  const text = decodeUtf8(body);
  if (text === undefined) throw notFormEncoded();
  return parseForm(text, names, isUtf8);
}

/**
 * RFC 9110 8.4.1, 15.5.16: what is coded is not decoded here, and taking it as it is would be to
 * read something else.
 */
function refuseContentCoding(contentEncoding: string): void {
  const codings = contentEncoding.split(',').map((coding) => coding.trim().toLowerCase());
  if (codings.every((coding) => coding === '' || coding === 'identity')) return;
  throw new OAuthError('invalid_request', 'The body must not have a Content-Encoding.', {
    status: 415,
    headers: { 'Accept-Encoding': 'identity' },
  });
}

/**
 * Charsets that agree with UTF-8 on the octets up to 7F, by the names of IANA's registry that are
 * in use.
 */
const asciiCompatible = /^(?:us-ascii|ascii|latin1|iso-8859-\d{1,2}|windows-125\d)$/i;

/**
 * Whether the body is in UTF-8 whatever octets it has. The media type itself has no parameters and
 * is always UTF-8; clients that name another charset are understood as long as it makes no
 * difference, which is up to octet 7F.
 * @throws OAuthError for a charset that may make one, and for two
 */
function judgeCharset({ parameters }: MediaType): boolean {
  const charsets = parameters.filter(([name]) => name === 'charset');
  const [, charset] = charsets[0] ?? ['charset', 'utf-8'];
  const isUtf8 = /^utf-?8$/i.test(charset);
  if (charsets.length > 1 || !(isUtf8 || asciiCompatible.test(charset))) throw notAForm();
  return isUtf8;
}

function parseForm(body: string, names: readonly string[], isUtf8: boolean): Form {
  const parameters = new Map<string, string>();
  for (const pair of body.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), isUtf8);
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), isUtf8);
    if (!names.includes(name)) continue;
    if (parameters.has(name))
      throw new OAuthError('invalid_request', 'A parameter occurs more than once.');
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}

/**
 * A name or a value. @throws OAuthError for one that is not form-encoded, or not for sure in UTF-8
 */
function decode(text: string, isUtf8: boolean): string {
  const decoded = decodeFormText(text);
  if (decoded === undefined || decoded.includes('\0')) throw notFormEncoded();
  if (!isUtf8 && /[\u0080-\uffff]/.test(decoded)) throw notAForm();
  return decoded;
}

function notAForm(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'The Content-Type must be application/x-www-form-urlencoded in UTF-8.',
  );
}

function notFormEncoded(): OAuthError {
  return new OAuthError('invalid_request', 'The body is not form-encoded UTF-8.');
}
