/**
 * HTTP as the smoke flow needs it: forms out, JSON and pages in, and every surprise told as what
 * was expected and seen.
 */
import * as z from 'zod/mini';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';

/** A step that did not go as it should. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';

  constructor(expected: string, seen: string) {
    super(`expected ${expected}; saw ${seen}`);
  }
}

/** An answer with its text. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

const TIMEOUT_MILLISECONDS = 15_000;

/** @throws Unexpected if no answer comes */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const response = await fetch(url, { redirect: 'manual', signal, ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    throw new Unexpected(`an answer from ${new URL(url).origin}`, reasonOf(error));
  }
}

/** fetch says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

/**
 * The JSON body of an answer.
 * @throws Unexpected if the status is another or the body has another form
 */
export function readJson<Schema extends z.ZodMiniType>(
  answer: Answer,
  schema: Schema,
  expected: { status: number; what: string },
): z.output<Schema> {
  const parsed = schema.safeParse(parseStrictJson(answer.text));
  if (answer.status === expected.status && parsed.success) return parsed.data;
  throw new Unexpected(`${expected.status} with ${expected.what}`, describe(answer));
}

/** The `error` of an answer (RFC 6749 5.2), if it has one. */
export function errorOf({ text }: Answer): string | undefined {
  return oauthError.safeParse(parseStrictJson(text)).data?.error;
}

const oauthError = z.object({ error: z.string() });

/** @throws Unexpected if the answer is anything but this refusal */
export function assertRefused(answer: Answer, status: number, error: string): void {
  if (answer.status === status && errorOf(answer) === error) return;
  throw new Unexpected(`${status} ${error}`, describe(answer));
}

const SHOWN_CHARACTERS = 300;

/**
 * Errors are shown as they came; an answer that is none may hold tokens, so only its members are
 * named.
 */
export function describe({ status, text }: Answer): string {
  const body = parseStrictJson(text);
  if (typeof body !== 'object' || body === null)
    return `${status} ${text.slice(0, SHOWN_CHARACTERS)}`;
  return 'error' in body
    ? `${status} ${JSON.stringify(body).slice(0, SHOWN_CHARACTERS)}`
    : `${status} with ${Object.keys(body).join(', ')}`;
}
