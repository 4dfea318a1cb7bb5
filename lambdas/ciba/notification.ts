/**
 * What a notification says: the variables of the operator's templates, each twice, as it is for subject and text, and
 * escaped for HTML (SES escapes nothing).
 */
import type { AuthenticationRequest } from './authentication-request.ts';
import { escapeHtml } from './html.ts';

/** The variables an operator may use in a template, written `${name}`. */
export const notificationVariables = [
  'appName',
  'magicLink',
  'bindingMessage',
  'authReqId',
  'requestId',
] as const;

type NotificationVariable = (typeof notificationVariables)[number];

/** Every variable and its twin for HTML; a template that lacks one of its variables is not sent at all by SES. */
export type TemplateData = Record<NotificationVariable | `${NotificationVariable}_html`, string>;

/**
 * The data of one mail. `authReqId` is the reference's name for what it prints as Request ID and renders the public
 * `ref`: the client's handle has no place in a mailbox.
 */
export function templateData(
  request: Pick<AuthenticationRequest, 'ref' | 'bindingMessage'>,
  clientName: string,
  magicLink: string,
): TemplateData {
  const values: Record<NotificationVariable, string> = {
    appName: clientName,
    magicLink,
    bindingMessage: request.bindingMessage ?? '',
    authReqId: request.ref,
    requestId: request.ref,
  };
  return {
    ...values,
    appName_html: escapeHtml(values.appName),
    magicLink_html: escapeHtml(values.magicLink),
    bindingMessage_html: escapeHtml(values.bindingMessage),
    authReqId_html: escapeHtml(values.authReqId),
    requestId_html: escapeHtml(values.requestId),
  };
}
