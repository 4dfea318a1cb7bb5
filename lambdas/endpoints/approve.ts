/**
 * The approval page on the authentication device (CIBA Core 8): whoever holds the link of one mail sees who asks for
 * what. GET, HEAD and OPTIONS change nothing; only a POST from our own page decides, once.
 */
import {
  type AuthenticationRequest,
  type Decision,
  isExpired,
} from '../ciba/authentication-request.ts';
import type { Client } from '../ciba/client.ts';
import { parseHandle } from '../ciba/handles.ts';
import { formToken, isFormToken, isLinkToken } from '../ciba/link-token.ts';
import { OAuthError } from '../ciba/oauth-error.ts';
import { judgeContact } from '../ciba/user.ts';
import { readForm } from '../http/form.ts';
import { describeCause, elapsedMs, type Log } from '../log.ts';
import type {
  AuthenticationRequestStore,
  ClientDirectory,
  Clock,
  LinkKeys,
  UserDirectory,
} from '../ports.ts';
import { decisionPage, type Notice, noticePage, page } from './approval-page.ts';

export interface ApproveDeps {
  issuer: string;
  requests: Pick<AuthenticationRequestStore, 'find' | 'decide'>;
  clients: ClientDirectory;
  users: Pick<UserDirectory, 'findUser'>;
  linkKeys: LinkKeys;
  clock: Clock;
  log: Log;
}

/** What a request to the page comes to: the status and the page that says it. */
interface Answer {
  status: number;
  html: string;
  outcome: string;
  ref?: string;
  headers?: Record<string, string>;
  cause?: string;
}

const ALLOW = 'GET, HEAD, OPTIONS, POST';

/** ANY /approve/{link}: 200 page or decided, 400 bad decision, 403 form check, 404 unknown link, 409 already decided, 410 expired. */
export function approveEndpoint(deps: ApproveDeps): (request: Request) => Promise<Response> {
  return async (httpRequest) => {
    const started = deps.clock();
    const answer = await respond(deps, httpRequest).catch(unavailable);
    const { status, html, headers, ref, cause } = answer;
    deps.log({
      event: 'approve',
      status,
      outcome: answer.outcome,
      ...(ref !== undefined && { ref }),
      ...(cause !== undefined && { cause }),
      ms: elapsedMs(started, deps.clock()),
    });
    return page(status, html, headers);
  };
}

async function respond(deps: ApproveDeps, httpRequest: Request): Promise<Answer> {
  switch (httpRequest.method) {
    case 'GET':
    case 'HEAD':
      return show(deps, httpRequest);
    case 'POST':
      return decideByForm(deps, httpRequest);
    case 'OPTIONS':
      return { status: 204, html: '', outcome: 'options', headers: { Allow: ALLOW } };
    default:
      return { ...notice(405, 'method'), headers: { Allow: ALLOW } };
  }
}

function unavailable(error: unknown): Answer {
  const headers = { 'Retry-After': '2' };
  if (error instanceof OAuthError && error.code === 'temporarily_unavailable') {
    return { ...notice(503, 'unavailable'), headers, ...causeOf(error.cause) };
  }
  return { ...notice(500, 'unavailable'), ...causeOf(error) };
}

function causeOf(error: unknown): { cause?: string } {
  const cause = describeCause(error);
  return cause === undefined ? {} : { cause };
}

function notice(status: number, what: Notice): Answer {
  return { status, html: noticePage(what), outcome: what };
}

/** A request whose link the caller holds. */
interface Opened {
  request: AuthenticationRequest;
  linkNonce: string;
  client: Client;
}

/** The request that a link token opens. Every other token, the client's handle included, opens nothing. */
async function open(deps: ApproveDeps, httpRequest: Request): Promise<Opened | undefined> {
  const handle = parseHandle(new URL(httpRequest.url).pathname.split('/').at(-1) ?? '');
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
  if (over) return { ...over, ref: request.ref };

  const [linkKey] = await deps.linkKeys.linkKeys();
  const token = formToken(linkKey, request.ref, now);
  return {
    status: 200,
    html: decisionPage({ request, clientName: client.client_name, formToken: token, now }),
    outcome: 'shown',
    ref: request.ref,
  };
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
async function decideByForm(deps: ApproveDeps, httpRequest: Request): Promise<Answer> {
  const opened = await open(deps, httpRequest);
  if (!opened) return notice(404, 'unknown');
  const { ref } = opened.request;
  if (isForeign(httpRequest, deps.issuer)) return { ...notice(403, 'form'), ref };

  const form = await readForm(httpRequest).catch((error: unknown) => error);
  if (form instanceof OAuthError) return { ...notice(form.status ?? 400, 'decision'), ref };
  if (!(form instanceof Map)) throw form;
  const linkKeys = await deps.linkKeys.linkKeys();
  const now = deps.clock();
  if (!isFormToken(linkKeys, form.get('form_token') ?? '', ref, now))
    return { ...notice(403, 'form'), ref };
  const decision = parseDecision(form.get('decision'));
  if (!decision) return { ...notice(400, 'decision'), ref };

  return { ...(await decide(deps, opened, decision)), ref };
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

function parseDecision(text: unknown): Decision | undefined {
  return text === 'approve' || text === 'deny' ? text : undefined;
}

async function decide(deps: ApproveDeps, opened: Opened, decision: Decision): Promise<Answer> {
  const { request, linkNonce, client } = opened;
  if (decision === 'approve' && !client.enabled) return notice(410, 'withdrawn');
  const decided = await deps.requests.decide({
    ref: request.ref,
    decision,
    linkNonce,
    contactVersion: decision === 'approve' ? await contactVersion(deps, request.sub) : undefined,
    now: deps.clock(),
  });
  switch (decided.outcome) {
    case 'decided':
      return notice(200, decision === 'approve' ? 'approved' : 'denied');
    case 'already_decided':
      return notice(409, decided.status === 'denied' ? 'already_denied' : 'already_approved');
    case 'expired':
      return notice(410, 'expired');
    case 'failed':
    case 'contact_changed':
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
