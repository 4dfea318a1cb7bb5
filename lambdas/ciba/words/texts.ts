/**
 * What people read on the approval page and in the values of a mail. One type has every text, so
 * that a language without one does not compile; times, spans and their plurals are those of Intl.
 */
import { REFRESH_TOKEN_SECONDS } from '../request/refresh-token.ts';
import { OFFLINE_ACCESS, scopeValues } from '../scope.ts';

/** What there is to say when there is nothing to decide. */
export const notices = [
  'approved',
  'denied',
  'reported',
  'denied_by_codes',
  'already_approved',
  'already_denied',
  'expired',
  'withdrawn',
  'unknown',
  'form',
  'decision',
  'method',
  'unavailable',
] as const;

export type Notice = (typeof notices)[number];

/** Scopes that have words of their own (OpenID Connect Core 5.4 and 11). */
export type KnownScope = 'openid' | 'profile' | 'email';

/** The texts of one language, each plain text: whoever shows one in HTML escapes it. */
export interface Texts {
  /** The language tag (BCP 47). */
  locale: string;
  /** Which way it is written. */
  direction: 'ltr' | 'rtl';

  asksForApproval: (clientName: string) => string;
  onlyIfYou: (clientName: string) => string;
  /** That others are waiting, and from when; nothing else is said of them. */
  others: (count: number, times: string) => string;
  /** Above the binding message. */
  shownElsewhere: string;
  /** Below it. */
  elseDeny: string;
  /** What the field is for that takes the code. */
  code: string;
  /** Where the code is read from, and from whom it never comes. */
  codeHint: string;
  codeMissing: string;
  /** How often it can still be tried. */
  codeWrong: (left: number) => string;
  /** Above what the client will be able to do. */
  ifYouApprove: (clientName: string) => string;
  scopes: Record<KnownScope, string>;
  /** What `offline_access` grants, and for how long (ASVS 10.7.2). */
  offlineAccess: (span: string) => string;
  otherScope: (value: string) => string;

  /** Before the domain of the client. */
  domain: string;
  /** What a mail says where a client has registered no home page. */
  noDomain: string;
  asked: string;
  ends: string;
  requestId: string;
  justNow: string;
  ago: (span: string) => string;
  inTime: (span: string) => string;
  over: string;

  approve: string;
  deny: string;
  report: string;
  /** What the three buttons are for those who did not start this. */
  notYou: string;

  notices: Record<Notice, { title: string; text: string }>;
}

/**
 * What a client that is granted a scope may do; a value without words by its name, as the operator
 * registered it.
 */
export function describeScope(texts: Texts, scope: string): string[] {
  const known = new Map<string, string>(Object.entries(texts.scopes));
  known.set(OFFLINE_ACCESS, texts.offlineAccess(describeDays(texts, REFRESH_TOKEN_SECONDS)));
  return scopeValues(scope).map((value) => known.get(value) ?? texts.otherScope(value));
}

/** That so many other requests of the user are waiting, made at these instants. */
export function describeOthers(texts: Texts, askedAt: readonly number[]): string {
  const times = new Intl.ListFormat(texts.locale).format(askedAt.map(describeTime));
  return texts.others(askedAt.length, times);
}

/** A span in the two units that matter: `1 minute 40 seconds`. */
export function describeSpan({ locale }: Texts, seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [
    ...(minutes > 0 ? [formatUnit(locale, minutes, 'minute')] : []),
    ...(rest > 0 || minutes === 0 ? [formatUnit(locale, rest, 'second')] : []),
  ].join(' ');
}

/**
 * A span of days: `30 days`. A day that is not over counts, so that nothing lasts longer than is
 * said.
 */
export function describeDays({ locale }: Texts, seconds: number): string {
  return formatUnit(locale, Math.ceil(seconds / 86_400), 'day');
}

function formatUnit(locale: string, amount: number, unit: 'day' | 'minute' | 'second'): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** A time of day that needs no knowledge of the reader's time zone. */
export function describeTime(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(11, 19)} UTC`;
}

/** The same with its day, for what is read later. */
export function describeMoment({ locale }: Texts, epochSeconds: number): string {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' });
  return `${day.format(epochSeconds * 1000)}, ${describeTime(epochSeconds)}`;
}
