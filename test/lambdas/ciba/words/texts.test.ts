/**
 * The catalogue of what people read: every language says everything, in words of its own, and
 * counts as its readers do.
 */
import { describe, expect, it } from 'vitest';
import { REFRESH_TOKEN_SECONDS } from '../../../../lambdas/ciba/request/refresh-token.ts';
import { findTexts, lookUpTexts } from '../../../../lambdas/ciba/words/catalogue.ts';
import {
  describeDays,
  describeMoment,
  describeScope,
  describeSpan,
  notices,
  type Texts,
} from '../../../../lambdas/ciba/words/texts.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';

const locales = ['de', 'en', 'es', 'fr', 'ja'];

/** Every text of a language, with a name and a span in it where it takes one. */
function allTexts(texts: Texts): string[] {
  const of = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (typeof value === 'function') return [String(value('Pump 4'))];
    return Object.values(Object(value)).flatMap(of);
  };
  return of(texts);
}

describe.each(locales)('the texts in %s', (locale) => {
  const texts = lookUpTexts([locale]);

  it('are found by their own tag', () => {
    expect(texts.locale).toBe(locale);
  });

  it('are none of them empty, and none markup, a link or two lines', () => {
    for (const text of allTexts(texts)) {
      expect(text.trim()).toBe(text);
      expect(text).not.toMatch(/^$|[<>{}\n]|:\/\/|www\./);
    }
  });

  it('name the client wherever they speak of it, and the span wherever they count', () => {
    for (const text of [texts.asksForApproval, texts.onlyIfYou, texts.ifYouApprove]) {
      expect(text('Pump 4')).toContain('Pump 4');
    }
    expect([texts.ago('3 s'), texts.inTime('3 s')]).toEqual([
      expect.stringContaining('3 s'),
      expect.stringContaining('3 s'),
    ]);
  });

  it('P38: say for how many days offline_access is granted, as many as a refresh token lives', () => {
    const days = String(REFRESH_TOKEN_SECONDS / 86_400);
    const [sentence = ''] = describeScope(texts, 'offline_access');
    expect(sentence.match(/\d+/g)).toEqual([days]);
    expect(sentence).toContain(describeDays(texts, REFRESH_TOKEN_SECONDS));
    expect(texts.offlineAccess('SPAN')).toContain('SPAN');
  });

  it('have a title and a text for every notice', () => {
    expect(Object.keys(texts.notices).toSorted()).toEqual([...notices].toSorted());
  });

  it('name the buttons apart', () => {
    expect(new Set([texts.approve, texts.deny, texts.report]).size).toBe(3);
    expect(texts.notYou).toContain(texts.report);
    expect(texts.elseDeny).toContain(texts.deny);
  });
});

it('are in English where none of the wanted languages is there, which can also be asked', () => {
  expect(lookUpTexts(['it', '*']).locale).toBe('en');
  expect(lookUpTexts(['it', 'fr-CA']).locale).toBe('fr');
  expect(findTexts(['it', '*'])).toBeUndefined();
});

describe('a span', () => {
  it.each([
    ['en', 0, '0 seconds'],
    ['en', 1, '1 second'],
    ['en', 60, '1 minute'],
    ['en', 119.9, '1 minute 59 seconds'],
    ['en', -3, '0 seconds'],
    ['de', 61, '1 Minute 1 Sekunde'],
    ['es', 125, '2 minutos 5 segundos'],
    ['fr', 120, '2 minutes'],
    ['ja', 125, '2 分 5 秒'],
  ])('in %s, of %d s, is %j', (locale, seconds, expected) => {
    expect(describeSpan(lookUpTexts([locale]), seconds).replace(/\s/g, ' ')).toBe(expected);
  });
});

it.each([
  ['en', 1, '1 day'],
  ['en', 30, '30 days'],
  ['de', 1, '1 Tag'],
  ['de', 30, '30 Tage'],
  ['es', 1, '1 día'],
  ['es', 30, '30 días'],
  ['fr', 1, '1 jour'],
  ['fr', 30, '30 jours'],
  ['ja', 30, '30 日'],
])('P38: in %s, %d days are %j, and a day that has begun counts', (locale, days, expected) => {
  const of = (seconds: number) => describeDays(lookUpTexts([locale]), seconds).replace(/\s/g, ' ');
  expect(of(days * 86_400)).toBe(expected);
  expect(of(days * 86_400 - 1)).toBe(expected);
});

it('a moment has its day, in the language, and needs no time zone', () => {
  const of = (locale: string) => describeMoment(lookUpTexts([locale]), EXAMPLE_NOW + 0.9);
  expect(of('en')).toBe('November 14, 2023, 22:13:20 UTC');
  expect(of('de')).toBe('14. November 2023, 22:13:20 UTC');
  expect(of('ja')).toBe('2023年11月14日, 22:13:20 UTC');
});

it.each([
  ['openid profile', ['know that it is you', 'see your name, user name and language']],
  ['payments:read openid', ['use: payments:read', 'know that it is you']],
  ['openid toString __proto__', ['know that it is you', 'use: toString', 'use: __proto__']],
])('the scope %j in words is %j', (scope, sentences) => {
  expect(describeScope(lookUpTexts(['en']), scope)).toEqual(sentences);
});
