/**
 * The approval page on the authentication device (CIBA Core 8): whoever holds the link of one mail sees who asks for
 * what. GET, HEAD and OPTIONS change nothing; only a POST from our own page decides, once.
 */

import { base64url } from '../ciba/base64url.ts';
import { type Client, clientDomain } from '../ciba/client/client.ts';
import { ATTEMPT_ENTROPY_BYTES, type Handle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import {
  type AuthenticationRequest,
  type Decision,
  decisions,
  isExpired,
} from '../ciba/request/authentication-request.ts';
import { confirmationLevel, isBlank, isCode } from '../ciba/request/confirmation.ts';
import {
  type DecisionOrigin,
  type DecisionOriginDetail,
  decisionOrigin,
} from '../ciba/request/decision-origin.ts';
import { formToken, isFormToken, isLinkToken, parseLink } from '../ciba/request/link-token.ts';
import type { DecisionOfUser } from '../ciba/request/rules.ts';
import { judgeContact } from '../ciba/user/user.ts';
import { findTexts, lookUpTexts } from '../ciba/words/catalogue.ts';
import { acceptedLanguages } from '../ciba/words/locale.ts';
import type { Notice, Texts } from '../ciba/words/texts.ts';
import type { Caller } from '../http/api-gateway-event.ts';
import { type Form, readForm } from '../http/form.ts';
import {
  describeCause,
  elapsedMs,
  faultOf,
  type Log,
  type LogEvent,
  placeOf,
  requestIdOf,
} from '../log.ts';
import {
  type AskedUsers,
  type AuthenticationRequestStore,
  type ClientDirectory,
  type Clock,
  type DecideOutcome,
  type Entropy,
  type LinkKeys,
  Unavailable,
  type UserDirectory,
} from '../ports.ts';
import { approvePath, logoPath } from '../routes.ts';
import {
  type CodeFault,
  decisionPage,
  noticePage,
  type Page,
  pageResponse,
} from './approval-page.ts';

export interface ApproveDeps {
  issuer: string;
  requests: Pick<AuthenticationRequestStore, 'find' | 'decide' | 'countWrongCode'>;
  askedUsers: AskedUsers;
  clients: ClientDirectory;
  users: Pick<UserDirectory, 'findUser'>;
  linkKeys: LinkKeys;
  /** How much is kept of where a decision is made. */
  recordDecisionOrigin: DecisionOriginDetail;
  entropy: Entropy;
  clock: Clock;
  log: Log;
}

/** What a request to the page comes to: the status and what the page says. */
interface Answer {
  status: number;
  /** A notice, the page that asks, or no page at all. */
  outcome: Notice | 'shown' | 'options';
  /** The page that asks. */
  page?: Page;
  /** The request whose link the caller holds. */
  request?: AuthenticationRequest;
  headers?: Record<string, string>;
  cause?: string;
  /** Where something failed, for the log. */
  at?: LogEvent['at'];
}

/** The fields of the page's form. Each may occur once; whatever else a mail app or an extension adds is ignored. */
export const approvalFields = ['form_token', 'decision', 'code'] as const;

/** More characters than anybody types; folding marks costs more than their number. */
const TYPED_LENGTH = 256;

/** ANY /approve and all that is below it: 200 page or decided, 400 bad decision, 403 form check, 404 unknown link, 409 already decided, 410 expired. */
export function approveEndpoint(
  deps: ApproveDeps,
): (request: Request, caller?: Caller) => Promise<Response> {
  return async (httpRequest, caller = {}) => {
    const started = deps.clock();
    const answer = await respond(deps, httpRequest, caller).catch(unavailable);
    const { status, outcome, headers, request, cause, at } = answer;
    const page = await pageOf(deps, httpRequest, answer);
    deps.log({
      event: 'approve',
      ...requestIdOf(caller),
      status,
      outcome,
      ...(request && { ref: request.ref }),
      ...(cause !== undefined && { cause }),
      ...(at && { at }),
      ms: elapsedMs(started, deps.clock()),
    });
    return pageResponse(deps.issuer, status, page, headers);
  };
}

/** The page of an answer. A notice needs no more than the language, so it is made when all else is known. */
async function pageOf(
  deps: ApproveDeps,
  httpRequest: Request,
  { outcome, page, request }: Answer,
): Promise<Page | undefined> {
  if (outcome === 'shown' || outcome === 'options') return page;
  // What went wrong already is not asked again for the sake of the language.
  const sub = outcome === 'unavailable' ? undefined : request?.sub;
  const texts = await textsFor(deps, httpRequest, sub);
  return noticePage(texts, outcome);
}

/**
 * The language that the browser asks for, or else the user's, who is looked up only then; English if that fails, since a
 * decision is told of, and a request shown, in any language rather than in none.
 */
async function textsFor(
  { users }: ApproveDeps,
  httpRequest: Request,
  sub: string | undefined,
): Promise<Texts> {
  const asked = findTexts(acceptedLanguages(httpRequest.headers.get('accept-language') ?? ''));
  if (asked || sub === undefined) return asked ?? lookUpTexts([]);
  const { locale } = (await users.findUser(sub).catch(() => undefined)) ?? {};
  return lookUpTexts(locale === undefined ? [] : [locale]);
}

async function respond(deps: ApproveDeps, httpRequest: Request, caller: Caller): Promise<Answer> {
  switch (httpRequest.method) {
    case 'GET':
    case 'HEAD':
      return show(deps, httpRequest);
    case 'POST':
      return decideByForm(deps, httpRequest, caller);
    case 'OPTIONS':
      return { status: 204, outcome: 'options' };
    default:
      return notice(405, 'method');
  }
}

function unavailable(error: unknown): Answer {
  const headers = { 'Retry-After': '2' };
  if (error instanceof Unavailable) {
    return { ...notice(503, 'unavailable'), headers, ...causeOf(error), ...placeOf(error) };
  }
  return { ...notice(500, 'unavailable'), ...faultOf(error) };
}

function causeOf(error: Unavailable): { cause?: string } {
  const cause = describeCause(error.cause);
  return cause === undefined ? {} : { cause };
}

function notice(status: number, outcome: Notice): Answer {
  return { status, outcome };
}

/** A request whose link the caller holds. */
interface Opened {
  request: AuthenticationRequest;
  linkNonce: string;
  client: Client;
}

/** The link token of a path below the page's own, as a mail program hands it over. */
function linkIn(pathname: string): Handle | undefined {
  const base = approvePath('');
  return pathname.startsWith(base) ? parseLink(pathname.slice(base.length)) : undefined;
}

/** The request that a link token opens. Every other token, the client's handle included, opens nothing. */
async function open(deps: ApproveDeps, httpRequest: Request): Promise<Opened | undefined> {
  const handle = linkIn(new URL(httpRequest.url).pathname);
  if (!handle) return undefined;
  const request = await deps.requests.find(handle.ref);
  if (request?.linkNonce === undefined) return undefined;
  if (!isLinkToken(await deps.linkKeys.linkKeys(), handle, request.linkNonce)) return undefined;
  const client = await deps.clients.findClient(request.clientId, 'cached');
  return client && { request, linkNonce: request.linkNonce, client };
}

/** GET and HEAD: scanners and previews open links, so this only reads (threats T1). */
async function show(deps: ApproveDeps, httpRequest: Request): Promise<Answer> {
  const opened = await open(deps, httpRequest);
  if (!opened) return notice(404, 'unknown');
  const { request, client } = opened;
  const now = deps.clock();
  const over = judgeOver(request, client, now);
  if (over) return { ...over, request };
  return {
    status: 200,
    outcome: 'shown',
    page: await askingPage(deps, httpRequest, opened),
    request,
  };
}

/** The page that asks; once more, if the code that came with an approval was none. */
async function askingPage(
  deps: ApproveDeps,
  httpRequest: Request,
  { request, client }: Opened,
  codeFault?: CodeFault,
): Promise<Page> {
  const now = deps.clock();
  const [linkKey] = await deps.linkKeys.linkKeys();
  const token = formToken(linkKey, request.ref, now);
  const [texts, others] = await Promise.all([
    textsFor(deps, httpRequest, request.sub),
    // Nobody sees the page of a HEAD, which scanners send by the dozen.
    httpRequest.method === 'HEAD'
      ? []
      : deps.askedUsers.othersPending(request.sub, request.ref, now),
  ]);
  return decisionPage(texts, {
    request,
    others,
    clientName: client.client_name,
    domain: clientDomain(client),
    logo: client.logo_hash && logoPath(client.client_id, client.logo_hash),
    formToken: token,
    codeFault,
    now,
  });
}

/** Why there is nothing left to decide, or `undefined` while there is. */
function judgeOver(
  request: AuthenticationRequest,
  client: Client,
  now: number,
): Answer | undefined {
  if (request.status === 'denied') return notice(409, 'already_denied');
  // Approved in time and never redeemed, it is worth as little as one that nobody decided.
  if (request.status === 'approved' && isExpired(request, now)) return notice(410, 'expired');
  if (request.status === 'approved' || request.status === 'redeemed')
    return notice(409, 'already_approved');
  if (request.status === 'failed' || !client.enabled) return notice(410, 'withdrawn');
  return isExpired(request, now) ? notice(410, 'expired') : undefined;
}

/** POST: the page's form, with its token, from our own origin (threats T11). */
async function decideByForm(
  deps: ApproveDeps,
  httpRequest: Request,
  { sourceIp }: Caller,
): Promise<Answer> {
  const opened = await open(deps, httpRequest);
  if (!opened) return notice(404, 'unknown');
  const { request } = opened;
  if (isForeign(httpRequest, deps.issuer)) return { ...notice(403, 'form'), request };

  const form = await readForm(httpRequest, approvalFields).catch((error: unknown) => error);
  if (form instanceof OAuthError) {
    const { status = 400, headers } = form;
    return { ...notice(status, 'decision'), headers, request };
  }
  if (!(form instanceof Map)) throw form;
  const linkKeys = await deps.linkKeys.linkKeys();
  const now = deps.clock();
  if (!isFormToken(linkKeys, form.get('form_token') ?? '', request.ref, now))
    return { ...notice(403, 'form'), request };
  const decision = parseDecision(form.get('decision'));
  if (!decision) return { ...notice(400, 'decision'), request };

  const userAgent = httpRequest.headers.get('user-agent') ?? undefined;
  const origin = decisionOrigin(deps.recordDecisionOrigin, { sourceIp, userAgent }, request);
  const decidable = { ...opened, origin };
  if (decision === 'approve' && confirmationLevel(request) === 'code') {
    const judged = await judgeCode(deps, httpRequest, decidable, typedCode(form));
    const answer = 'status' in judged ? judged : await decide(deps, decidable, 'approve', judged);
    return { ...answer, request };
  }
  return { ...(await decide(deps, decidable, decision)), request };
}

/** What a form decides, if it counts. */
interface Decidable extends Opened {
  /** Where it comes from, as far as that is kept. */
  origin: DecisionOrigin | undefined;
}

/**
 * Whether a browser says that the form was another site's. Under some referrer policies and in some mail apps the
 * `Origin` of our own form is `null`; a caller that is no browser sends neither header and holds the link all the same.
 */
function isForeign(httpRequest: Request, issuer: string): boolean {
  const site = httpRequest.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return true;
  const origin = httpRequest.headers.get('origin');
  return origin !== null && origin !== 'null' && origin !== issuer;
}

function parseDecision(text: string | undefined): Decision | undefined {
  return decisions.find((decision) => decision === text);
}

function typedCode(form: Form): string {
  return (form.get('code') ?? '').slice(0, TYPED_LENGTH);
}

/** What an approval that asks for a code goes on with. */
type Typed = Pick<DecisionOfUser, 'typedMessage'>;

/**
 * What was typed, if it is the code, or why the approval does not go on. What was left empty is asked for and not counted:
 * a program that presses buttons shall not use up the user's tries.
 */
async function judgeCode(
  deps: ApproveDeps,
  httpRequest: Request,
  opened: Decidable,
  typed: string,
): Promise<Typed | Answer> {
  const { request, client, linkNonce, origin } = opened;
  const now = deps.clock();
  const over = judgeOver(request, client, now);
  if (over) return over;
  if (isBlank(typed)) {
    const page = await askingPage(deps, httpRequest, opened, { reason: 'missing' });
    return { status: 400, outcome: 'shown', cause: 'code missing', page };
  }
  const { bindingMessage } = request;
  if (isCode(typed, bindingMessage ?? '')) return { typedMessage: bindingMessage };

  const counted = await deps.requests.countWrongCode({
    ref: request.ref,
    linkNonce,
    attemptId: base64url(deps.entropy(ATTEMPT_ENTROPY_BYTES)),
    origin,
    now,
  });
  if (counted.outcome === 'denied') return notice(400, 'denied_by_codes');
  if (counted.outcome !== 'counted') return undecided(counted);
  const page = await askingPage(deps, httpRequest, opened, { reason: 'wrong', left: counted.left });
  return { status: 400, outcome: 'shown', cause: 'code wrong', page };
}

/** What is said of a decision that counts. */
const decidedNotices = { approve: 'approved', deny: 'denied', report: 'reported' } as const;

async function decide(
  deps: ApproveDeps,
  opened: Decidable,
  decision: Decision,
  typed: Typed = {},
): Promise<Answer> {
  const { request, linkNonce, client, origin } = opened;
  if (decision === 'approve' && !client.enabled) return notice(410, 'withdrawn');
  const decided = await deps.requests.decide({
    ref: request.ref,
    decision,
    linkNonce,
    contactVersion: decision === 'approve' ? await contactVersion(deps, request.sub) : undefined,
    ...typed,
    origin,
    now: deps.clock(),
  });
  return decided.outcome === 'decided' ? notice(200, decidedNotices[decision]) : undecided(decided);
}

/** Why a step of the user's changed nothing. */
function undecided(decided: Exclude<DecideOutcome, { outcome: 'decided' }>): Answer {
  switch (decided.outcome) {
    case 'already_decided':
      return notice(409, decided.status === 'denied' ? 'already_denied' : 'already_approved');
    case 'expired':
      return notice(410, 'expired');
    case 'failed':
    case 'contact_changed':
    // The last wrong code came between.
    case 'not_confirmed':
      return notice(410, 'withdrawn');
    case 'not_found':
      return notice(404, 'unknown');
  }
}

/** The user's contact version right now; none for a user who may no longer approve anything. */
async function contactVersion({ users }: ApproveDeps, sub: string): Promise<number | undefined> {
  const contact = judgeContact(await users.findUser(sub));
  return contact.reachable ? contact.user.contact_version : undefined;
}
