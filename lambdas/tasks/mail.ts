/**
 * States SendEmailWithBindingMessage and SendEmailWithoutBindingMessage of the flow: claims the
 * send, hands the mail to SES with the magic link, stamps it. Express runs at least once, so the
 * claim decides who sends.
 */
import * as z from 'zod/mini';
import { base64url } from '../ciba/base64url.ts';
import { clientDomain } from '../ciba/client/client.ts';
import { isRef } from '../ciba/handles.ts';
import { LINK_NONCE_BYTES, linkToken } from '../ciba/request/link-token.ts';
import { judgeReachability } from '../ciba/user/user.ts';
import { lookUpTexts } from '../ciba/words/catalogue.ts';
import { lookUpLocale } from '../ciba/words/locale.ts';
import { templateData } from '../ciba/words/notification.ts';
import type { Log } from '../log.ts';
import type {
  AuthenticationRequestStore,
  ClientDirectory,
  Clock,
  Entropy,
  LinkKeys,
  Mail,
  Mailer,
  UserDirectory,
} from '../ports.ts';
import { approvePath } from '../routes.ts';
import { loggedTask } from './logged-task.ts';

export interface MailDeps {
  issuer: string;
  requests: Pick<AuthenticationRequestStore, 'claimMail' | 'recordMailed' | 'releaseMail'>;
  clients: ClientDirectory;
  users: Pick<UserDirectory, 'findUser'>;
  linkKeys: LinkKeys;
  /** The locales of every template that a flow may name. */
  templates: ReadonlyMap<string, readonly string[]>;
  mailer: Mailer;
  clock: Clock;
  entropy: Entropy;
  log: Log;
}

/**
 * How long a claim keeps other tasks from sending, in seconds: longer than the function's timeout
 * of 10.
 */
export const MAIL_CLAIM_SECONDS = 15;

/** A mail that nobody could open in time is not sent, in seconds. */
export const LEAST_SECONDS_LEFT = 3;

const CLAIM_ID_BYTES = 12;

const mailInput = z.object({
  ref: z.string().check(z.refine(isRef)),
  /** The template's name without a locale: that is the user's. */
  templateName: z.string().check(z.minLength(1)),
});

interface MailSent {
  outcome: 'sent' | 'over' | 'withdrawn' | 'mail_rejected';
  /** What SES calls its reason; for the log. */
  cause?: string;
}

/** Thrown where a later try of the flow may succeed. */
export class MailDeferred extends Error {
  override readonly name = 'MailDeferred';
}

/**
 * Sends the mail of a request at most once for each granted claim, always with the same link. Never
 * after a `mailed` stamp, a decision or the end of the request. The language is the user's, or the
 * nearest there is.
 * @throws MailDeferred if another task is sending or SES asks for patience; the flow tries again
 */
export function mailTask(deps: MailDeps): (input: unknown) => Promise<MailSent> {
  return loggedTask('mail', deps, mailInput, async ({ ref, templateName }) => {
    const locales = deps.templates.get(templateName);
    if (!locales) throw new Error(`There is no template ${templateName}`);
    const now = deps.clock();
    const claimId = base64url(deps.entropy(CLAIM_ID_BYTES));
    const claim = await deps.requests.claimMail({
      ref,
      claimId,
      linkNonce: base64url(deps.entropy(LINK_NONCE_BYTES)),
      now,
      until: now + MAIL_CLAIM_SECONDS,
    });
    if (claim.outcome === 'claimed_by_another') throw new MailDeferred('another task is sending');
    if (claim.outcome !== 'claimed') return { outcome: 'over' };

    // If an error occurs before SES accepts the mail, the claim is released, so that the next
    // attempt can send.
    const release = () => deps.requests.releaseMail(ref, claimId);
    if (claim.request.expiresAt - now < LEAST_SECONDS_LEFT) {
      await release();
      return { outcome: 'over' };
    }
    const template = { name: templateName, locales };
    const mail = await composeMail(deps, claim.request, template).catch(async (error: unknown) => {
      await release();
      throw error;
    });
    if (!mail) {
      await release();
      return { outcome: 'withdrawn' };
    }
    return send(deps, mail, ref, claimId);
  });
}

type ClaimedRequest = Extract<
  Awaited<ReturnType<AuthenticationRequestStore['claimMail']>>,
  { outcome: 'claimed' }
>['request'];

/**
 * The mail, or `undefined` if user or client are gone, or reachable elsewhere than when the request
 * was made.
 */
async function composeMail(
  deps: MailDeps,
  request: ClaimedRequest,
  template: { name: string; locales: readonly string[] },
): Promise<Mail | undefined> {
  const reachability = judgeReachability(await deps.users.findUser(request.sub));
  const client = await deps.clients.findClient(request.clientId, 'cached');
  const linkNonce = request.linkNonce;
  if (!reachability.reachable || !client?.enabled || linkNonce === undefined) return undefined;
  if (reachability.user.contact_version !== request.contactVersion) return undefined;

  const [linkKey] = await deps.linkKeys.linkKeys();
  const token = linkToken(linkKey, request.ref, linkNonce);
  const magicLink = deps.issuer + approvePath(token);
  const { email, locale: wanted } = reachability.user;
  const locale = lookUpLocale(wanted === undefined ? [] : [wanted], template.locales);
  return {
    ref: request.ref,
    clientId: request.clientId,
    to: email,
    templateName: `${template.name}-${locale}`,
    // The language of the template, so that a mail is in one.
    data: templateData(lookUpTexts([locale]), {
      request,
      clientName: client.client_name,
      domain: clientDomain(client),
      magicLink,
    }),
  };
}

/**
 * What SES answers decides what happens to the claim; what it leaves unknown keeps the claim until
 * it runs out.
 */
async function send(deps: MailDeps, mail: Mail, ref: string, claimId: string): Promise<MailSent> {
  const { requests } = deps;
  const handedOver = await deps.mailer.send(mail);
  switch (handedOver.outcome) {
    case 'accepted':
      return recordSent(deps, ref, claimId);
    case 'rejected':
      await requests.releaseMail(ref, claimId);
      return { outcome: 'mail_rejected', cause: handedOver.reason };
    case 'deferred':
      await requests.releaseMail(ref, claimId);
      throw new MailDeferred(handedOver.reason);
  }
}

/**
 * The mail is out, whether or not that can be stamped: to throw would have the flow give up a
 * request whose link the user holds. Without the stamp the claim keeps others from sending until it
 * runs out, and the flow is over by then.
 */
async function recordSent(
  { requests, clock }: MailDeps,
  ref: string,
  claimId: string,
): Promise<MailSent> {
  try {
    await requests.recordMailed(ref, claimId, clock());
    return { outcome: 'sent' };
  } catch {
    return { outcome: 'sent', cause: 'not stamped' };
  }
}
