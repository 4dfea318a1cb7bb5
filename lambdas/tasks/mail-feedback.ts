/**
 * What becomes of a mail after SES accepted it, as its events tell over EventBridge: kept on the
 * request, and an address that mail does not arrive at is not mailed again. Events come late, in
 * any order and more than once, or not at all. See {@link
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html}
 */
import * as z from 'zod/mini';
import { isRef } from '../ciba/handles.ts';
import { isUndeliverableCause, type MailFailure, mailFailures } from '../ciba/mail-failure.ts';
import type { AuthenticationRequest } from '../ciba/request/authentication-request.ts';
import { normaliseEmail } from '../ciba/user/login.ts';
import type { User } from '../ciba/user/user.ts';
import { type Log, startLine } from '../log.ts';
import type {
  AuthenticationRequestStore,
  Clock,
  UndeliverableAddresses,
  UserDirectory,
} from '../ports.ts';
import { loggedTask } from './logged-task.ts';

export interface MailFeedbackDeps {
  requests: Pick<AuthenticationRequestStore, 'find' | 'recordMailFailure'>;
  addresses: UndeliverableAddresses;
  users: Pick<UserDirectory, 'findUser'>;
  clock: Clock;
  log: Log;
}

interface MailNews {
  outcome: 'recorded' | 'known' | 'ignored';
  /** What became of the mail, or why that is of no interest. */
  cause?: string;
}

const bounce = z.object({ bounceType: z.string(), bounceSubType: z.string() });
const complaint = z.object({
  complaintSubType: z.optional(z.nullable(z.string())),
  complaintFeedbackType: z.optional(z.nullable(z.string())),
});
type Bounce = z.output<typeof bounce>;
type Complaint = z.output<typeof complaint>;

/** The recipients, and the tag that our mailer set. SES makes a list of its one value. */
const mail = z.object({
  destination: z.array(z.string()),
  tags: z.object({ ref: z.tuple([z.string().check(z.refine(isRef))]) }),
});

const sesEvent = z.object({
  detail: z.discriminatedUnion('eventType', [
    z.object({ eventType: z.literal('Bounce'), mail, bounce }),
    z.object({ eventType: z.literal('Complaint'), mail, complaint }),
    z.object({ eventType: z.literal('Reject'), mail }),
    z.object({ eventType: z.literal('Rendering Failure'), mail }),
  ]),
});

type SesEvent = z.output<typeof sesEvent>['detail'];

const news = z.object({
  ref: z.string(),
  failure: z.enum(mailFailures),
  destination: z.array(z.string()),
});

/**
 * Takes an event of SES and keeps what it says, once. What is no such event, or says nothing of the
 * mail's fate, is logged and left: to throw would only have it delivered again.
 */
export function mailFeedbackTask(deps: MailFeedbackDeps): (event: unknown) => Promise<MailNews> {
  const hear = loggedTask('mail_feedback', deps, news, (told) => record(deps, told));
  return async (event) => {
    const log = startLine(deps);
    const parsed = sesEvent.safeParse(event);
    const failure = parsed.success ? judge(parsed.data.detail) : undefined;
    if (parsed.success && failure) {
      const { tags, destination } = parsed.data.detail.mail;
      return hear({ ref: tags.ref[0], failure, destination });
    }
    const cause = parsed.success ? 'says nothing of its fate' : 'no event of a mail of ours';
    log({ event: 'mail_feedback', outcome: 'ignored', cause });
    return { outcome: 'ignored', cause };
  };
}

/**
 * The address before the request: whoever sees that the request failed finds that its user is not
 * asked again. The request says that nothing is left to do, so a run that was cut off in between is
 * made up for when the event comes again.
 */
async function record(
  { requests, addresses, users, clock }: MailFeedbackDeps,
  { ref, failure, destination }: z.output<typeof news>,
): Promise<MailNews> {
  const request = await requests.find(ref);
  if (!request) return { outcome: 'ignored', cause: 'no such request' };
  // The operator may have cleared the address since: what comes twice must not mark it twice.
  if (request.mailFailure) return { outcome: 'known', cause: failure };
  const fault = judgeDestination(request, await users.findUser(request.sub), destination);
  if (fault !== undefined) return { outcome: 'ignored', cause: fault };
  const now = clock();
  if (isUndeliverableCause(failure)) await addresses.noteUndeliverable(request, failure, now);
  const recorded = await requests.recordMailFailure(ref, failure, now);
  return { outcome: recorded ? 'recorded' : 'known', cause: failure };
}

/**
 * Why an event is not of the mail of this request. The address that was mailed is the user's as
 * long as the user is reached as then; of one who is gone or reached elsewhere nobody knows it any
 * more, nor is there an address to mark or a request that could be approved.
 */
function judgeDestination(
  request: AuthenticationRequest,
  user: User | undefined,
  destination: readonly string[],
): string | undefined {
  // The claim that writes it comes before every mail.
  if (request.linkNonce === undefined) return 'no mail was sent for the request';
  if (user?.email === undefined || user.contact_version !== request.contactVersion)
    return undefined;
  const mailed = normaliseEmail(user.email);
  const isMailed = destination.some((address) => normaliseEmail(address) === mailed);
  return isMailed ? undefined : 'not to the address that was mailed';
}

/**
 * What an event says became of its mail; `undefined` if the mail may have arrived all the same, or
 * was welcome.
 */
function judge(event: SesEvent): MailFailure | undefined {
  switch (event.eventType) {
    case 'Bounce':
      return judgeBounce(event.bounce);
    case 'Complaint':
      return judgeComplaint(event.complaint);
    case 'Reject':
      return 'mail_rejected';
    case 'Rendering Failure':
      return 'mail_not_rendered';
  }
}

/** Transient bounces that mean the mail was not delivered. */
const undelivered = ['MailboxFull', 'MessageTooLarge', 'ContentRejected', 'AttachmentRejected'];

/**
 * An automatic answer, as of somebody on holiday, is a bounce to SES, of the kinds Transient and
 * General or Undetermined: the mail is in the mailbox, and its user may decide.
 */
function judgeBounce({ bounceType, bounceSubType }: Bounce): MailFailure | undefined {
  if (bounceType === 'Permanent')
    return isOnList(bounceSubType) ? 'mail_suppressed' : 'mail_bounced';
  const isKnown = bounceType === 'Transient' && undelivered.includes(bounceSubType);
  return isKnown ? 'mail_undelivered' : undefined;
}

/** RFC 5965 and its registry: a report of the type `not-spam` takes back that something was. */
function judgeComplaint(told: Complaint): MailFailure | undefined {
  if (isOnList(told.complaintSubType ?? '')) return 'mail_suppressed';
  return told.complaintFeedbackType === 'not-spam' ? undefined : 'mail_complained';
}

/**
 * SES has several lists, of its own, of the account and of a tenant: `Suppressed`,
 * `OnAccountSuppressionList`.
 */
function isOnList(subType: string): boolean {
  return subType.includes('Suppress');
}
