/**
 * A fuzzer over both endpoints of the protocol and the approval page (RFC 6749 5.2, CIBA Core 11
 * and 13; threats T11, T12, T23): whatever is sent, no fault of ours, no echo, and nothing stored
 * by a request that was refused.
 *
 * `FUZZ_SECONDS` says for how long (20, and hours if wanted), `FUZZ_SEED` with which seed; a
 * failure names the seed that repeats it at once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE } from '../../lambdas/ciba/client/client.ts';
import { lookUpTexts } from '../../lambdas/ciba/words/catalogue.ts';
import { escapeHtml, noDetection } from '../../lambdas/ciba/words/html.ts';
import { notices } from '../../lambdas/ciba/words/texts.ts';
import { noticePage, pageResponse } from '../../lambdas/endpoints/approval-page.ts';
import { type FuzzCase, fuzzCase } from '../support/fuzz-requests.ts';
import { type Answer, type FuzzedRequest, prepare } from '../support/fuzz-world.ts';
import { issuer } from '../support/provider-in-memory.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 20);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/**
 * Cases of one seed; the next ones have the next seed, so that a failure can be repeated without
 * what went before.
 */
const CASES_PER_SEED = 250;

/** So many inputs reach every outcome below by a wide margin. */
const INPUTS_TO_REACH_ALL = 8000;

/**
 * The codes of RFC 6749 5.2 and CIBA Core 11 and 13 that each endpoint may answer with; no fault of
 * ours is among them.
 */
const registeredCodes = {
  authorize: [
    'invalid_request',
    'invalid_scope',
    'unknown_user_id',
    'expired_login_hint_token',
    'unauthorized_client',
    'invalid_binding_message',
    'invalid_authorization_details',
    'invalid_client',
  ],
  token: [
    'invalid_request',
    'invalid_scope',
    'unauthorized_client',
    'invalid_authorization_details',
    'invalid_client',
    'unsupported_grant_type',
    'invalid_grant',
    'access_denied',
    'authorization_pending',
    'slow_down',
    'expired_token',
  ],
};

/** Everything the fuzzer has to reach, so that it is known to reach what lies deep. */
const reachable = [
  'authorize 200 ok',
  ...registeredCodes.authorize.map(
    (code) => `authorize ${code === 'invalid_client' ? 401 : 400} ${code}`,
  ),
  'authorize 405 invalid_request',
  'authorize 413 invalid_request',
  'authorize 415 invalid_request',
  'token 200 ok',
  ...registeredCodes.token.map((code) => `token ${code === 'invalid_client' ? 401 : 400} ${code}`),
  'token 405 invalid_request',
  'token 413 invalid_request',
  'token 415 invalid_request',
  ...[
    '200 shown',
    '200 Approved',
    '200 Denied',
    '200 Denied and reported',
    '204 no body',
    '400 shown',
    '400 Denied',
    '400 Nothing was decided',
    '403 Please open the link again',
    '404 Nothing here',
    '405 Nothing was decided',
    '409 Already approved',
    '409 Already denied',
    '410 No longer valid',
    '410 Too late',
    '413 Nothing was decided',
  ].map((outcome) => `approve ${outcome}`),
];

describe('whatever is sent to the three endpoints', () => {
  it('gets no 5xx, no echo and no state by a refused request', {
    timeout: (seconds + 600) * 1000,
  }, async () => {
    process.stdout.write(`FUZZ_SEED=${seed} FUZZ_SECONDS=${seconds}\n`);
    const outcomes = new Map<string, number>();
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    try {
      for (let next = seed; elapsed() < seconds; next = seedAfter(next)) {
        await runSeed(next, outcomes);
        expect(rejections, `unhandled rejections at FUZZ_SEED=${next}`).toEqual([]);
      }
    } finally {
      process.off('unhandledRejection', onRejection);
      process.stdout.write(`${tableOf(outcomes, elapsed())}\n`);
    }
    if (countOf(outcomes) >= INPUTS_TO_REACH_ALL)
      expect([...outcomes.keys()]).toEqual(expect.arrayContaining(reachable));
  });
});

/** Neighbouring seeds begin alike, so the next one is far away. */
function seedAfter(one: number): number {
  return (Math.imul(one, 1_664_525) + 1_013_904_223) & 0x7fffffff;
}

function countOf(outcomes: Map<string, number>): number {
  return [...outcomes.values()].reduce((sum, count) => sum + count, 0);
}

/** @throws with the seed and the smallest case that fails */
async function runSeed(ofSeed: number, outcomes: Map<string, number>): Promise<void> {
  const property = fc.asyncProperty(fuzzCase, (fuzz) => sendAndJudge(fuzz, outcomes));
  try {
    await fc.assert(property, { seed: ofSeed, numRuns: CASES_PER_SEED });
  } catch (cause) {
    throw new Error(`FUZZ_SEED=${ofSeed} repeats this:\n${Object(cause).message}`, { cause });
  }
}

async function sendAndJudge(fuzz: FuzzCase, outcomes: Map<string, number>): Promise<void> {
  const request = await prepare(fuzz);
  for (let time = 0; time < fuzz.times; time += 1) {
    const before = await request.snapshot();
    const answer = await request.send();
    const outcome =
      fuzz.endpoint === 'approve' ? judgePage(fuzz, answer) : judgeJson(fuzz, request, answer);
    const isRefused = answer.statusCode !== 200;
    const after = await request.snapshot();
    if (answer.statusCode === 400 && isCoded(fuzz)) {
      // A wrong code is counted; more than that does not come of it.
      expect(uncounted(after), 'what is stored').toBe(uncounted(before));
    } else if (isRefused || request.method !== 'POST') {
      expect(after, 'what is stored').toBe(before);
    }
    const key = `${fuzz.endpoint} ${answer.statusCode} ${outcome}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  }
}

function isCoded(fuzz: FuzzCase): boolean {
  return fuzz.endpoint === 'approve' && fuzz.wrongCodes !== undefined;
}

/**
 * What is stored, but for the count of wrong codes, and the denial that comes of the last with its
 * origin.
 */
function uncounted(snapshot: string): string {
  return snapshot
    .replace(/"wrongCodes":[0-3]/, '"wrongCodes":0')
    .replace(/,"wrongCodeAttempt":"[\w-]{11}"/, '')
    .replace(/,"decisionOrigin":\{[^}]*\}/, '')
    .replace(/,"isDenied":true/, '')
    .replace(/"status":"denied"(.*),"decidedAt":[\d.]+/, '"status":"pending"$1');
}

/** The shape of RFC 6749 5.2 with a registered code, never stored, and of the request no word. */
function judgeJson(
  fuzz: Exclude<FuzzCase, { endpoint: 'approve' }>,
  request: FuzzedRequest,
  answer: Answer,
): string {
  expect(answer.statusCode).toBeLessThan(500);
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
  demandNoEcho(request, answer);
  if (answer.statusCode === 200) return 'ok';
  const body: Record<string, unknown> = JSON.parse(answer.body);
  expect(Object.keys(body)).toEqual(['error', 'error_description']);
  expect(registeredCodes[fuzz.endpoint]).toContain(body['error']);
  expect(body['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(answer.statusCode === 401).toBe('www-authenticate' in answer.headers);
  return String(body['error']);
}

/** Either one of our notices, to the letter, or the page that asks; both with our headers alone. */
function judgePage(fuzz: Extract<FuzzCase, { endpoint: 'approve' }>, answer: Answer): string {
  expect(answer.statusCode).toBeLessThan(500);
  const { allow: _allow, 'accept-encoding': _coding, ...headers } = answer.headers;
  // OPTIONS has no page and no language.
  expect({ 'content-language': 'en', ...headers }).toEqual(ownHeaders);
  expect(headers['content-security-policy']).toMatch(policy);
  if (!answer.body.includes('<form method="post">')) {
    expect(ownNotices).toContain(answer.body);
    return /<title>(.+)<\/title>/.exec(answer.body)?.[1] ?? 'no body';
  }
  const [name, message] = [fuzz.clientName, fuzz.bindingMessage].map(escapeHtml);
  expect(answer.body).toContain(`<h1><bdi>${name}</bdi> asks for your approval</h1>`);
  const box = `<strong dir="auto">${message}</strong>`;
  if (isCoded(fuzz)) expect(answer.body).not.toContain('<strong');
  else expect(answer.body).toContain(box);
  const ours = answer.body
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<script>[^<]*<\/script>/, '')
    .replace(/data-left="\d+" /, '')
    .replace(/<time datetime="[^"<>]+">/g, '<time>')
    .replace(/value="[\w-]{43}"/, 'value');
  for (const tag of ours.match(/<[^>]*>?/g) ?? []) expect(ownTags).toContain(tag);
  return 'shown';
}

const texts = lookUpTexts([]);
const ownHeaders = Object.fromEntries(
  pageResponse(issuer, 200, noticePage(texts, 'approved')).headers,
);
const policy =
  /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; form-action 'self'; /;
const ownNotices = ['', ...notices.map((notice) => noticePage(texts, notice).html)];

const codeInput =
  '<input id="code" name="code" type="text" required maxlength="200" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" enterkeyhint="done" dir="auto"';

/**
 * The markup of the page that asks. Whatever is stored, no other element and no other attribute
 * comes into it.
 */
const ownTags =
  `<!doctype html> <html lang="en" dir="ltr"> <head> </head> <meta charset="utf-8"> <title> </title> <body> </body> <main> </main>
</html> <h1> </h1> <p> </p> <ul> </ul> <li> </li> <dl> </dl> <dt> </dt> <dd> </dd> <time> </time> <span> </span> </strong> </form> </button>
<meta name="viewport" content="width=device-width, initial-scale=1"> ${noDetection} <div class="message"> </div> <strong dir="auto">
<form method="post"> <input type="hidden" name="form_token" value> <button type="submit" name="decision" value="deny">
<button type="submit" name="decision" value="approve"> <p class="soft">
<header> </header> <div class="mark" aria-hidden="true"> <div> <h2> </h2> <bdi> </bdi> <button type="submit" name="decision" value="report">
<span role="timer" data-in="in %" data-over="it has ended">
<div class="code"> <label for="code"> </label> <p id="fault" role="alert"> <p id="code-hint">
<button type="submit" name="decision" value="deny" formnovalidate> <button type="submit" name="decision" value="report" formnovalidate>
${codeInput} aria-describedby="code-hint">
${codeInput} aria-describedby="fault code-hint" aria-invalid="true" autofocus>`.match(/<[^>]*>/g);

/**
 * Texts of ours that a request may happen to use as well, the names of parameters and grants above
 * all.
 */
const ownWords = [
  'The parameter auth_req_id is missing.',
  'The parameter refresh_token is missing.',
  'The parameter grant_type is missing.',
  'The parameter scope is missing.',
  'The grant_type must be urn:openid:params:grant-type:ciba or refresh_token.',
  'The parameter authorization_details is not supported. The binding_message is not acceptable at position ',
  'The parameter acr_values has a value of this issuer that is none of its acr_values_supported.',
  'The requested_expiry must be a positive whole number of seconds.',
  'Client authentication failed. Use the method and the credentials the client is registered with.',
  'Exactly one of login_hint, id_token_hint and login_hint_token is required.',
  'The hint does not identify a user who can be asked.',
  'a link or an address begins there, or a telephone number; put a space after its dot, colon or plus sign, write the sign as a word (example dot com), or group the digits in another way.',
  'a character there cannot be shown.',
  'The authorization request is still pending. Please slow down the poll requests.',
  'The authorization request for the provided auth_req_id has expired. (Correlation ID: ',
  'The client is not registered for this grant. The client is no longer registered for the granted scope.',
  'The request uses more than one client authentication method.',
  registeredCodes.authorize.join(),
  registeredCodes.token.join(),
  'The Content-Type must be application/x-www-form-urlencoded in UTF-8.',
  'The body must not have a Content-Encoding.',
  '{"error":"","error_description":"","access_token":"","refresh_token":"","auth_req_id":"","expires_in":',
  'authorization: Basic realm="client" content-type: application/json',
  'https://ciba.example',
  CIBA_GRANT_TYPE,
]
  .flatMap((text) => [text, `${text} (Correlation ID: `])
  .join('\n')
  .toLowerCase();

/** The least number of characters that are no coincidence. */
const ECHO = 8;

/**
 * No eight characters of the request in body or headers, as sent or decoded, but for the scope that
 * was granted.
 */
function demandNoEcho({ sent, refs, ownRef }: FuzzedRequest, answer: Answer): void {
  const body = answer.body.replace(/"scope":"[a-z_ ]+"/, '');
  const said = [body, ...Object.entries(answer.headers).flat()].join('\n').toLowerCase();
  for (const ref of refs) if (ref !== ownRef) expect(said).not.toContain(ref);
  for (const text of sent) {
    for (const piece of piecesOf(text, ownRef)) {
      if (!said.includes(piece) || ownWords.includes(piece)) continue;
      expect.fail(`echo of ${JSON.stringify(piece)} of ${JSON.stringify(text)} in ${said}`);
    }
  }
}

/**
 * Up to some hundred pieces of a text, overlapping; without the public id that an answer may name
 * to its owner.
 */
function* piecesOf(text: string, ownRef: string | undefined): Generator<string> {
  const parts = ownRef === undefined ? [text] : text.split(ownRef);
  for (const part of parts) {
    const step = Math.max(1, Math.floor(part.length / 100));
    for (let at = 0; at + ECHO <= part.length; at += step) {
      yield part.slice(at, at + ECHO).toLowerCase();
    }
  }
}

function tableOf(outcomes: Map<string, number>, elapsed: number): string {
  const rows = [...outcomes].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const total = countOf(outcomes);
  return [
    `${total} inputs in ${elapsed.toFixed(1)} s, ${Math.round(total / elapsed)} a second`,
    ...rows.map(([outcome, count]) => `${String(count).padStart(9)}  ${outcome}`),
  ].join('\n');
}
