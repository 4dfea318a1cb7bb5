/**
 * What a notification says: the variables of the operator's templates, each twice, as it is for
 * subject and text, and as HTML (SES escapes nothing).
 */
import type { AuthenticationRequest } from '../request/authentication-request.ts';
import { shownMessage } from '../request/confirmation.ts';
import { escapeHtml } from './html.ts';
import type { NotificationVariable } from './notification-variables.ts';
import { describeMoment, describeScope, describeSpan, type Texts } from './texts.ts';

/**
 * Every variable and its twin for HTML; a template that lacks one of its variables is not sent at
 * all by SES.
 */
export type TemplateData = Record<NotificationVariable | `${NotificationVariable}_html`, string>;

/** What a mail is about. */
export interface Notification {
  request: Pick<
    AuthenticationRequest,
    'ref' | 'scope' | 'bindingMessage' | 'wrongCodes' | 'createdAt' | 'expiresAt'
  >;
  clientName: string;
  /** The domain of the client's home page, if it registered one. */
  domain: string | undefined;
  magicLink: string;
}

/**
 * The data of one mail, in the language of these texts. `authReqId` is the reference's name for
 * what it prints as Request ID and renders the public `ref`: the client's handle has no place in a
 * mailbox.
 */
export function templateData(
  texts: Texts,
  { request, clientName, domain, magicLink }: Notification,
): TemplateData {
  const scopes = describeScope(texts, request.scope);
  const values: Record<NotificationVariable, string> = {
    appName: clientName,
    appDomain: domain === undefined ? texts.noDomain : spreadDots(domain),
    magicLink,
    bindingMessage: shownMessage(request) ?? '',
    requestedScopes: scopes.map((sentence) => `- ${sentence}`).join('\n'),
    askedAt: describeMoment(texts, request.createdAt),
    expiresAt: describeMoment(texts, request.expiresAt),
    validFor: describeSpan(texts, request.expiresAt - request.createdAt),
    authReqId: request.ref,
    requestId: request.ref,
  };
  return {
    ...values,
    appName_html: escapeHtml(values.appName),
    appDomain_html: domain === undefined ? escapeHtml(texts.noDomain) : cutDots(domain),
    magicLink_html: escapeHtml(values.magicLink),
    bindingMessage_html: escapeHtml(values.bindingMessage),
    requestedScopes_html: scopes.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join(''),
    askedAt_html: escapeHtml(values.askedAt),
    expiresAt_html: escapeHtml(values.expiresAt),
    validFor_html: escapeHtml(values.validFor),
    authReqId_html: escapeHtml(values.authReqId),
    requestId_html: escapeHtml(values.requestId),
  };
}

/**
 * `pay . fuel . example`: a domain that no mail program makes a link of, since the one link of a
 * mail is ours, and that says in full what it is. No character of it is hidden from those who read
 * or copy it.
 */
function spreadDots(domain: string): string {
  return domain.split('.').join(' . ');
}

/**
 * The same for HTML, where an element around the dot cuts the run of text that a mail program would
 * make a link of.
 */
function cutDots(domain: string): string {
  return domain.split('.').map(escapeHtml).join('<span>.</span>');
}
