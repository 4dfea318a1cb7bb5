/** English. */
import { pluralForm } from './plural.ts';
import type { Texts } from './texts.ts';

export const en: Texts = {
  locale: 'en',
  direction: 'ltr',

  asksForApproval: (clientName) => `${clientName} asks for your approval`,
  onlyIfYou: (clientName) => `Approve only if you are the one using ${clientName} right now.`,
  others: (count, times) =>
    `${pluralForm('en', count, {
      one: '1 other request is waiting for you',
      other: `${count} other requests are waiting for you`,
    })}, asked at ${times}. Approve this one only if it is the one you started.`,
  shownElsewhere: 'Shown on the other device. It must say exactly this:',
  elseDeny: 'If it shows anything else, choose Deny.',
  code: 'Code on the other device',
  codeHint:
    'Read it from the device in front of you. If somebody told or sent you a code, do not type it: choose “This was not me”.',
  codeMissing: 'To approve, type the code that the other device shows.',
  codeWrong: (left) =>
    `That is not the code. ${pluralForm('en', left, {
      one: 'You can try once more; then the request is denied.',
      other: `You can try ${left} more times.`,
    })}`,
  ifYouApprove: (clientName) => `If you approve, ${clientName} will be able to:`,
  scopes: {
    openid: 'know that it is you',
    profile: 'see your name, user name and language',
    email: 'see your e-mail address',
  },
  offlineAccess: (span) => `keep this access for ${span} without asking you each time`,
  otherScope: (value) => `use: ${value}`,

  domain: 'Registered domain:',
  noDomain: 'none registered',
  asked: 'Asked',
  ends: 'Ends',
  requestId: 'Request ID',
  justNow: 'just now',
  ago: (span) => `${span} ago`,
  inTime: (span) => `in ${span}`,
  over: 'it has ended',

  approve: 'Approve',
  deny: 'Deny',
  report: 'This was not me',
  notYou:
    'If you did not start this, choose “This was not me”. Nobody who calls or writes to you needs you to press Approve.',

  notices: {
    approved: {
      title: 'Approved',
      text: 'The other device goes on by itself in a few seconds. You can close this page.',
    },
    denied: {
      title: 'Denied',
      text: 'Nothing was released. The other device is told that you said no. You can close this page.',
    },
    reported: {
      title: 'Denied and reported',
      text: 'Nothing was released. We have recorded that this request was not yours, and the other device is told no. You can close this page.',
    },
    denied_by_codes: {
      title: 'Denied',
      text: 'The code was wrong three times, so the request was denied and nothing was released. If you still want it, start again on the other device.',
    },
    already_approved: {
      title: 'Already approved',
      text: 'This request was approved before. A link decides only once.',
    },
    already_denied: {
      title: 'Already denied',
      text: 'This request was denied before. A link decides only once.',
    },
    expired: {
      title: 'Too late',
      text: 'This request has ended and nothing was released. If you still want it, start again on the other device.',
    },
    withdrawn: {
      title: 'No longer valid',
      text: 'This request can no longer be approved, and nothing was released. If you still want it, start again on the other device.',
    },
    unknown: {
      title: 'Nothing here',
      text: 'This link belongs to no request. Open the link exactly as it stands in the mail.',
    },
    form: {
      title: 'Please open the link again',
      text: 'The page was open for too long or was not sent by us, so nothing was decided. Open the link in the mail again.',
    },
    decision: {
      title: 'Nothing was decided',
      text: 'The answer could not be read. Open the link in the mail again and choose Approve or Deny.',
    },
    method: {
      title: 'Nothing was decided',
      text: 'This address can only be opened in a browser.',
    },
    unavailable: {
      title: 'Please try again',
      text: 'Something on our side did not answer. Open the link again in a moment to see whether your decision counted.',
    },
  },
};
