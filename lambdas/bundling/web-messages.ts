/**
 * Stands in for the global `Headers`, `Request` and `Response` in the bundles. The platform's are
 * undici, whose loading costs every cold start more than answering does; these have just what the
 * endpoints and the event adapter use, and mean the same
 * (test/lambdas/bundling/web-messages.test.ts runs the same cases over both).
 */

/** RFC 9110 5.6.2 and 5.5: what the fetch standard takes for a header. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const headerValue = /^[^\0\r\n]*$/;

class LightHeaders {
  readonly #values = new Map<string, string>();

  constructor(init: Iterable<readonly [string, string]> | Record<string, string> = {}) {
    const entries = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of entries) this.append(name, value);
  }

  /** @throws TypeError for what is no header by the standard's grammar */
  append(name: string, value: string): void {
    if (!headerName.test(name) || !headerValue.test(value)) throw new TypeError('not a header');
    const key = name.toLowerCase();
    const earlier = this.#values.get(key);
    const trimmed = trim(value);
    this.#values.set(key, earlier === undefined ? trimmed : `${earlier}, ${trimmed}`);
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    return [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1))[Symbol.iterator]();
  }
}

/**
 * A value without the spaces and tabs around it, in one pass: `[\t ]+$` would begin anew at each of
 * a million spaces.
 */
function trim(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (start < end && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09;
}

interface RequestOptions {
  method?: string;
  headers?: LightHeaders;
  body?: Uint8Array;
}

class LightRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: LightHeaders;
  readonly #body: Uint8Array;

  constructor(
    url: URL,
    { method = 'GET', headers = new LightHeaders(), body }: RequestOptions = {},
  ) {
    this.url = url.href;
    this.method = method;
    this.headers = headers;
    this.#body = body ?? new Uint8Array();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.#body).buffer;
  }
}

interface ResponseOptions {
  status?: number;
  headers?: Record<string, string>;
}

class LightResponse {
  readonly status: number;
  readonly headers: LightHeaders;
  readonly #body: string | Uint8Array;

  constructor(
    body: string | Uint8Array | null = null,
    { status = 200, headers = {} }: ResponseOptions = {},
  ) {
    this.status = status;
    this.headers = new LightHeaders(headers);
    this.#body = body ?? '';
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return Uint8Array.from(Buffer.from(this.#body)).buffer;
  }
}

export { LightHeaders as Headers, LightRequest as Request, LightResponse as Response };
