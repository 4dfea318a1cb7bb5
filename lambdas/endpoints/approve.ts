/**
 * The approval page on the authentication device (CIBA Core 8): whoever holds the link of one mail
 * sees who asks for what. GET, HEAD and OPTIONS change nothing; only a POST from our own page
 * decides, once.
 */

import { type Client, clientDomain } from '../ciba/client/client.ts';
import type { Handle } from '../ciba/handles.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import {
  type AuthenticationRequest,
  type Decision,
  decisions,
  type RequestStatus,
} from '../ciba/request/authentication-request.ts';
import { confirmationLevel } from '../ciba/request/confirmation.ts';
import {
  type DecisionOrigin,
  type DecisionOriginDetail,
  decisionOrigin,
} from '../ciba/request/decision-origin.ts';
import { formToken, isFormToken, isLinkToken, parseLink } from '../ciba/request/link-token.ts';
import { judge, type RefusalOf } from '../ciba/request/rule.ts';
import { deciding } from '../ciba/request/rules.ts';
import { judgeContact } from '../ciba/user/user.ts';
import { findTexts, lookUpTexts } from '../ciba/words/catalogue.ts';
import { acceptedLanguages } from '../ciba/words/locale.ts';
import type { Notice, Texts } from '../ciba/words/texts.ts';
import type { Caller } from '../http/api-gateway-event.ts';
import { readForm } from '../http/form.ts';
import {
  describeCause,
  faultOf,
  type Log,
  type LogEvent,
  placeOf,
  requestIdOf,
  startLine,
} from '../log.ts';
import {
  type AskedUsers,
  type AuthenticationRequestStore,
  type ClientDirectory,
  type Clock,
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
import { judgeCode } from './confirmation-code.ts';

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

/** What a request to the page comes to: the page that asks, one that only tells, or none. */
type Answer =
  | { kind: 'page'; status: number; page: Page; cause?: string }
  | ({ kind: 'notice'; status: number; notice: Notice } & NoticeDetails)
  | { kind: 'none'; status: number };

interface NoticeDetails {
  headers?: Record<string, string> | undefined;
  cause?: string;
  /** Where something failed, for the log. */
  at?: LogEvent['at'];
}

/** An answer, and the request that it is about, if its link was opened. */
interface Answered {
  answer: Answer;
  request?: AuthenticationRequest;
}

/**
 * The fields of the page's form. Each may occur once; whatever else a mail app or an extension adds
 * is ignored.
 */
export const approvalFields = ['form_token', 'decision', 'code'] as const;

/**
 * ANY /approve and all that is below it: 200 page or decided, 400 bad decision, 403 form check, 404
 * unknown link, 409 already decided, 410 expired.
 */
export function approveEndpoint(
  deps: ApproveDeps,
): (request: Request, caller?: Caller) => Promise<Response> {
  return async (httpRequest, caller = {}) => {
    const log = startLine(deps);
    const { answer, request } = await answerTo(deps, httpRequest, caller).catch(
      (error: unknown): Answered => ({ answer: answerOf(error) }),
    );
    const page = await pageOf(deps, httpRequest, answer, request);
    log({
      event: 'approve',
      ...requestIdOf(caller),
      status: answer.status,
      outcome: outcomeOf(answer),
      ...(request && { ref: request.ref }),
      ...loggedFault(answer),
    });
    const headers = answer.kind === 'notice' ? answer.headers : undefined;
    return pageResponse(deps.issuer, answer.status, page, headers);
  };
}

function outcomeOf(answer: Answer): Notice | 'shown' | 'options' {
  switch (answer.kind) {
    case 'page':
      return 'shown';
    case 'notice':
      return answer.notice;
    case 'none':
      return 'options';
  }
}

function loggedFault(answer: Answer): Pick<LogEvent, 'cause' | 'at'> {
  const { cause, at }: NoticeDetails = answer.kind === 'none' ? {} : answer;
  return { ...(cause !== undefined && { cause }), ...(at && { at }) };
}

/**
 * The page of an answer. A notice needs no more than the language, so it is made when all else is
 * known.
 */
async function pageOf(
  deps: ApproveDeps,
  httpRequest: Request,
  answer: Answer,
  request: AuthenticationRequest | undefined,
): Promise<Page | undefined> {
  switch (answer.kind) {
    case 'page':
      return answer.page;
    case 'notice': {
      // What failed already is not asked again for the sake of the language.
      const sub = answer.notice === 'unavailable' ? undefined : request?.sub;
      return noticePage(await textsFor(deps, httpRequest, sub), answer.notice);
    }
    case 'none':
      return undefined;
  }
}

/**
 * The language that the browser asks for, or else the user's, who is looked up only then; English
 * if that fails, since a decision is told of, and a request shown, in any language rather than in
 * none.
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

/** The first checks of every request: the method, and the link. */
async function answerTo(
  deps: ApproveDeps,
  httpRequest: Request,
  caller: Caller,
): Promise<Answered> {
  // RFC 9110 9.3.7: OPTIONS asks for the methods alone.
  if (httpRequest.method === 'OPTIONS') return { answer: { kind: 'none', status: 204 } };
  // RFC 9110 15.5.6: the others are GET, HEAD and POST.
  const respond = responders.get(httpRequest.method);
  if (!respond) return { answer: notice(405, 'method') };
  // Threats T10: the link token opens its request, and nothing else does.
  const opened = await open(deps, httpRequest);
  if (!opened) return { answer: notice(404, 'unknown') };
  const answer = await respond(deps, httpRequest, opened, caller).catch(answerOf);
  return { answer, request: opened.request };
}

/** What is said of an error: that the form was none, or that we failed. */
function answerOf(error: unknown): Answer {
  if (!(error instanceof OAuthError) || error.code !== 'invalid_request') return unavailable(error);
  const { status = 400, headers } = error;
  return { ...notice(status, 'decision'), headers };
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

function notice(status: number, words: Notice): Extract<Answer, { kind: 'notice' }> {
  return { kind: 'notice', status, notice: words };
}

/** A request whose link the caller holds. */
interface OpenRequest {
  request: AuthenticationRequest;
  linkNonce: string;
  client: Client;
  /** The keys that the link was proved with, the one that makes new form tokens first. */
  linkKeys: Awaited<ReturnType<LinkKeys['linkKeys']>>;
}

/** The link token of a path below the page's own, as a mail program hands it over. */
function linkIn(pathname: string): Handle | undefined {
  const base = approvePath('');
  return pathname.startsWith(base) ? parseLink(pathname.slice(base.length)) : undefined;
}

/**
 * The request that a link token opens. Every other token, the client's handle included, opens
 * nothing.
 */
async function open(deps: ApproveDeps, httpRequest: Request): Promise<OpenRequest | undefined> {
  const handle = linkIn(new URL(httpRequest.url).pathname);
  if (!handle) return undefined;
  const request = await deps.requests.find(handle.ref);
  if (request?.linkNonce === undefined) return undefined;
  const { linkNonce } = request;
  const linkKeys = await deps.linkKeys.linkKeys();
  if (!isLinkToken(linkKeys, handle, linkNonce)) return undefined;
  const client = await deps.clients.findClient(request.clientId, 'cached');
  return client && { request, linkNonce, client, linkKeys };
}

/** GET and HEAD: scanners and previews open links, so this only reads (threats T1). */
async function show(deps: ApproveDeps, httpRequest: Request, opened: OpenRequest): Promise<Answer> {
  // Threats T9: there is something left to decide.
  const over = judgeOver(opened, deps.clock());
  return over ?? ask(deps, httpRequest, opened);
}

/** The page that asks, for the first time or because the code of an approval did not count. */
async function ask(
  deps: ApproveDeps,
  httpRequest: Request,
  opened: OpenRequest,
  codeFault?: CodeFault,
): Promise<Answer> {
  const page = await askingPage(deps, httpRequest, opened, codeFault);
  if (!codeFault) return { kind: 'page', status: 200, page };
  return { kind: 'page', status: 400, page, cause: `code ${codeFault.reason}` };
}

async function askingPage(
  deps: ApproveDeps,
  httpRequest: Request,
  { request, client, linkKeys: [linkKey] }: OpenRequest,
  codeFault: CodeFault | undefined,
): Promise<Page> {
  const now = deps.clock();
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

/**
 * Why there is nothing left to decide, or `undefined` while there is. What a denial demands, every
 * decision does.
 */
function judgeOver({ request, linkNonce, client }: OpenRequest, now: number): Answer | undefined {
  if (request.status === 'pending' && !client.enabled) return notice(410, 'withdrawn');
  const { ref, status } = request;
  const outcome = judge(
    deciding({ ref, decision: 'deny', linkNonce, contactVersion: undefined, now }),
    request,
  );
  return outcome && undecided({ outcome, status });
}

/** POST: the checks of a decision in order (CIBA Core 8), each with the threat that it answers. */
async function decideByForm(
  deps: ApproveDeps,
  httpRequest: Request,
  opened: OpenRequest,
  { sourceIp }: Caller,
): Promise<Answer> {
  const { request, linkKeys } = opened;
  // T11: no other site sent the form.
  if (isForeign(httpRequest, deps.issuer)) return notice(403, 'form');
  // RFC 6749 appendix B, as for every form here: its media type and size, no field twice.
  const form = await readForm(httpRequest, approvalFields);
  // T11: our own page of this link was shown lately.
  if (!isFormToken(linkKeys, form.get('form_token') ?? '', request.ref, deps.clock())) {
    return notice(403, 'form');
  }
  // CIBA Core 8: the user says yes or no.
  const decision = parseDecision(form.get('decision'));
  if (!decision) return notice(400, 'decision');

  const userAgent = httpRequest.headers.get('user-agent') ?? undefined;
  const origin = decisionOrigin(deps.recordDecisionOrigin, { sourceIp, userAgent }, request);
  const decidable = { ...opened, origin };
  // CIBA Core 7.1: an approval that asks for the binding message as a code has it.
  if (decision === 'approve' && confirmationLevel(request) === 'code') {
    return approveByCode(deps, httpRequest, decidable, form.get('code') ?? '');
  }
  // T9: the write judges what is left: undecided, in time, the client and the user as they were
  // asked.
  return decide(deps, decidable, decision);
}

const responders = new Map([
  ['GET', show],
  ['HEAD', show],
  ['POST', decideByForm],
]);

/** What a form decides, if it counts. */
interface Decidable extends OpenRequest {
  /** Where it comes from, as far as that is kept. */
  origin: DecisionOrigin | undefined;
}

/**
 * Whether a browser says that the form was another site's. Under some referrer policies and in some
 * mail apps the `Origin` of our own form is `null`; a caller that is no browser sends neither
 * header and holds the link all the same.
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

/** An approval with its code: nothing is asked for, nor counted, of a request that is over. */
async function approveByCode(
  deps: ApproveDeps,
  httpRequest: Request,
  decidable: Decidable,
  typed: string,
): Promise<Answer> {
  const now = deps.clock();
  const over = judgeOver(decidable, now);
  if (over) return over;
  const { request, linkNonce, origin } = decidable;
  const judged = await judgeCode(deps, request, typed, {
    ref: request.ref,
    linkNonce,
    origin,
    now,
  });
  switch (judged.outcome) {
    case 'correct':
      return decide(deps, decidable, 'approve', judged.typedMessage);
    case 'missing':
      return ask(deps, httpRequest, decidable, { reason: 'missing' });
    case 'counted':
      return ask(deps, httpRequest, decidable, { reason: 'wrong', left: judged.left });
    case 'denied':
      return notice(400, 'denied_by_codes');
    default:
      return undecided(judged);
  }
}

/** What is said of a decision that counts. */
const decidedNotices = { approve: 'approved', deny: 'denied', report: 'reported' } as const;

async function decide(
  deps: ApproveDeps,
  { request, linkNonce, client, origin }: Decidable,
  decision: Decision,
  typedMessage?: string,
): Promise<Answer> {
  if (decision === 'approve' && !client.enabled) return notice(410, 'withdrawn');
  const decided = await deps.requests.decide({
    ref: request.ref,
    decision,
    linkNonce,
    contactVersion: decision === 'approve' ? await contactVersion(deps, request.sub) : undefined,
    typedMessage,
    origin,
    now: deps.clock(),
  });
  return decided.outcome === 'decided' ? notice(200, decidedNotices[decision]) : undecided(decided);
}

/** Why a step of the user's changes nothing, and the status that the request has. */
interface Refused {
  outcome: RefusalOf<typeof deciding>;
  status?: RequestStatus;
}

function undecided({ outcome, status }: Refused): Answer {
  switch (outcome) {
    case 'already_decided':
      return notice(409, status === 'denied' ? 'already_denied' : 'already_approved');
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
