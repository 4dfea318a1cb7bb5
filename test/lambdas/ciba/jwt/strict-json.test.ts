/**
 * JSON objects of JWTs (RFC 7515 4, RFC 7519 4): one meaning or none (threats T17).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JSON_DEPTH,
  parseStrictObject,
  readStrictJson,
} from '../../../../lambdas/ciba/jwt/strict-json.ts';

describe('parseStrictObject', () => {
  it('reads every object that JSON can write', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
        const text = JSON.stringify(members);
        expect(parseStrictObject(text)).toEqual(
          Object.fromEntries(Object.entries(JSON.parse(text))),
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['twice', '{"a":1,"a":1}'],
    ['twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
    ['twice, with space before the colon', '{"a" :1,"a"\n:2}'],
    ['twice in an inner object', '{"x":{"a":1,"b":{},"a":2}}'],
    ['twice in an object of a list', '{"x":[{"a":1,"a":2}]}'],
    ['twice around an inner object', '{"a":{"a":1},"a":2}'],
  ])('refuses a member that is there %s', (_where, text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(parseStrictObject(text)).toBeUndefined();
  });

  it('P45: reads what is nested as deep as the limit, and nothing deeper, however deep', () => {
    const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;
    expect(parseStrictObject(nested(JSON_DEPTH))).toEqual(JSON.parse(nested(JSON_DEPTH)));
    for (const depth of [JSON_DEPTH + 2, 10_000, 1_000_000]) {
      expect(readStrictJson(nested(depth))).toEqual({
        fault: { reason: 'it is nested more than 64 deep', index: expect.any(Number) },
      });
    }
  });

  it('P45: reads texts and numbers of any length without running out of stack', () => {
    const long = ['a', '\\n', '\\u0061', '\\"', '\u00e9', '\ud83d\ude00'].map(
      (one) => `["${one.repeat(2_000_000)}"]`,
    );
    for (const text of [...long, `0.${'1'.repeat(1e6)}`]) {
      expect(readStrictJson(text)).toHaveProperty('value');
    }
  });

  it.each([
    ['in different objects', '{"a":{"b":1},"c":{"b":2}}'],
    ['as a value of its own name', '{"a":"a","b":"a"}'],
    ['inside a text', String.raw`{"a":"{\"a\":1,\"a\":2}"}`],
    ['as texts of a list', '{"a":["a","a","a"]}'],
  ])('takes a name twice %s', (_where, text) => {
    expect(parseStrictObject(text)).toEqual(JSON.parse(text));
  });

  it.each(['', '[]', 'null', '1', '"a"', '{', '{"a":1}}', "{'a':1}", '{"a":1,}', '\ufeff{"a":1}'])(
    'refuses %j, which is no object',
    (text) => {
      expect(parseStrictObject(text)).toBeUndefined();
    },
  );
});
