/**
 * The parameters of an authentication request (CIBA Core 7.1), and each error of CIBA Core 13 that
 * they can cause.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OAuthError, type OAuthErrorCode } from '../../../../lambdas/ciba/oauth-error.ts';
import { refuseAuthorizationDetails } from '../../../../lambdas/ciba/request/authorization-details.ts';
import {
  assertTypeable,
  hintKinds,
  type LifetimeSettings,
  parseBindingMessage,
  parseHint,
  parseRequestedExpiry,
  parseScope,
  pollingInterval,
  refuseSignedRequest,
} from '../../../../lambdas/ciba/request/backchannel-authentication-request.ts';
import { levelFor } from '../../../../lambdas/ciba/request/confirmation.ts';
import { anyText } from '../../../support/any-text.ts';
import { exampleClient } from '../../../support/example-directory.ts';

const settings = { defaultExpiresIn: 120, minExpiresIn: 10, maxExpiresIn: 600, defaultInterval: 2 };
const ISSUER = 'https://ciba.example';
const least = { scope: 'openid', login_hint: 'alice' };

/**
 * Every check of the parameters; their order is tested at the endpoint (order-of-checks.test.ts).
 */
function parse(
  parameters: Record<string, string>,
  changes: Partial<typeof exampleClient> = {},
  bounds: LifetimeSettings = settings,
) {
  const form = new Map(
    Object.entries({ ...least, ...parameters }).filter(([, value]) => value !== ''),
  );
  const client = { ...exampleClient, ...changes };
  refuseSignedRequest(form);
  refuseAuthorizationDetails(form);
  const bindingMessage = parseBindingMessage(form);
  const level = levelFor(client.confirmation_level, form.get('acr_values'), ISSUER, bindingMessage);
  assertTypeable(level, bindingMessage);
  return {
    scope: parseScope(form, client),
    hint: parseHint(form),
    bindingMessage,
    confirmationLevel: level,
    expiresIn: parseRequestedExpiry(form, client, bounds),
    interval: pollingInterval(client, bounds),
  };
}

function codeOf(parameters: Record<string, string>): OAuthErrorCode {
  try {
    parse(parameters);
  } catch (error) {
    if (error instanceof OAuthError) return error.code;
  }
  throw new Error('no OAuthError was thrown');
}

describe('a request', () => {
  it('needs scope and a hint, and no more', () => {
    expect(parse({})).toEqual({
      scope: 'openid',
      hint: { kind: 'login_hint', text: 'alice' },
      bindingMessage: undefined,
      confirmationLevel: 'link',
      expiresIn: 120,
      interval: 2,
    });
  });

  it.each(hintKinds)('may have its one hint as %s', (kind) => {
    expect(parse({ login_hint: '', [kind]: 'x' }).hint).toEqual({ kind, text: 'x' });
  });

  it('may name a binding message and a lifetime', () => {
    expect(parse({ binding_message: 'Pump 4', requested_expiry: '60' })).toMatchObject({
      bindingMessage: 'Pump 4',
      expiresIn: 60,
    });
  });

  it.each([
    ['openid profile', 'openid profile'],
    ['profile openid', 'profile openid'],
    ['openid openid profile', 'openid profile'],
    ['openid offline_access', 'openid'],
  ])('for the scope %j asks the user for %j', (scope, granted) => {
    expect(parse({ scope }).scope).toBe(granted);
  });
});

describe('P28: the interval and the lifetime (CIBA 7.3)', () => {
  const seconds = (min: number, max: number) => fc.integer({ min, max });
  const optional = (value: fc.Arbitrary<number>) => fc.option(value, { nil: undefined });
  /** As synth lets them be: from the least interval to the longest lifetime in rising order. */
  const deployment = fc
    .tuple(seconds(1, 60), seconds(1, 600), seconds(0, 600), seconds(0, 600))
    .map(([defaultInterval, min, byDefault, max]) => {
      const minExpiresIn = Math.min(600, defaultInterval + min);
      const defaultExpiresIn = Math.min(600, minExpiresIn + byDefault);
      const maxExpiresIn = Math.min(600, defaultExpiresIn + max);
      return { defaultInterval, minExpiresIn, defaultExpiresIn, maxExpiresIn };
    });

  it('by property: each request lives longer than its interval, whoever chose the two', () => {
    const members = fc.record({
      expires_in: optional(seconds(10, 600)),
      interval: optional(seconds(1, 60)),
    });
    const requested = optional(seconds(1, 10_000));
    fc.assert(
      fc.property(members, deployment, requested, (client, bounds, expiry) => {
        const asked = parse(
          expiry === undefined ? {} : { requested_expiry: String(expiry) },
          // What a client did not register is not there.
          Object.fromEntries(Object.entries(client).filter(([, value]) => value !== undefined)),
          bounds,
        );
        const wanted = client.interval ?? bounds.defaultInterval;
        expect(asked.interval).toBeGreaterThanOrEqual(1);
        expect(asked.interval).toBeLessThan(asked.expiresIn);
        expect(asked.expiresIn).toBeLessThanOrEqual(bounds.maxExpiresIn);
        // The lifetime yields; the interval only where the deployment grants no longer one.
        expect(asked.interval).toBe(Math.min(wanted, bounds.maxExpiresIn - 1));
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, object, Record<string, string>, object, number, number]>([
    [
      'a client’s interval beyond the default lifetime',
      { interval: 60 },
      {},
      { defaultExpiresIn: 30 },
      61,
      60,
    ],
    ['a wish as short as the interval', { interval: 30 }, { requested_expiry: '30' }, {}, 31, 30],
    ['a wish below it', { interval: 60 }, { requested_expiry: '1' }, {}, 61, 60],
    ['an interval beyond the longest lifetime', { interval: 60 }, {}, { maxExpiresIn: 20 }, 20, 19],
    ['an old item with both', { interval: 60, expires_in: 10 }, {}, {}, 61, 60],
    ['what agrees already', { interval: 5, expires_in: 10 }, {}, {}, 10, 5],
  ])('%s', (_what, client, parameters, bounds, expiresIn, interval) => {
    const asked = parse(parameters, client, { ...settings, ...bounds });
    expect(asked).toMatchObject({ expiresIn, interval });
  });
});

describe('requested_expiry (CIBA 7.1)', () => {
  it.each([
    ['1', 10],
    ['9', 10],
    ['10', 10],
    ['599', 599],
    ['601', 600],
    ['9999999999', 600],
    ['99999999999', 600],
    ['01', 10],
    ['0000000000060', 60],
  ])('P22: %s is kept within the bounds: %i', (requested_expiry, expiresIn) => {
    expect(parse({ requested_expiry }).expiresIn).toBe(expiresIn);
  });

  it.each([
    '0',
    '00',
    '-1',
    '+1',
    '+60',
    '1.0',
    '1e2',
    '0x10',
    ' 1',
    '1 ',
    'ten',
    '١٠',
    '6 0',
    '60\n',
    '6_0',
    '６０',
    'Infinity',
    'NaN',
  ])('%j is invalid_request', (requested_expiry) => {
    expect(codeOf({ requested_expiry })).toBe('invalid_request');
  });

  /** Within the bounds of the settings. */
  function within(value: bigint): number {
    if (value < 10n) return 10;
    return value > 600n ? 600 : Number(value);
  }

  it('P22: every text of decimal digits with a positive value is taken and kept within the bounds, whatever its length', () => {
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789'),
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(digits, (requested_expiry) => {
        const value = BigInt(requested_expiry);
        if (value === 0n) expect(codeOf({ requested_expiry })).toBe('invalid_request');
        else expect(parse({ requested_expiry }).expiresIn).toBe(within(value));
      }),
      { examples: [['0'.repeat(400)], ['9'.repeat(400)], ['0'.repeat(400).concat('60')]] },
    );
  });

  it('P22: every other text is invalid_request', () => {
    fc.assert(
      fc.property(fc.oneof(anyText(6, 1), fc.stringMatching(/^[ 0-9.,+e-]{1,8}$/)), (text) => {
        fc.pre(!/^[0-9]+$/.test(text));
        expect(codeOf({ requested_expiry: text })).toBe('invalid_request');
      }),
    );
  });

  it.each([
    ['the deployment’s maximum', 300, 300],
    ['600 s where the deployment’s maximum is beyond', 10_000, 600],
  ])(
    'is never more than %s, nor is what the client registered or the default',
    (_what, maxExpiresIn, expiresIn) => {
      const longest = { ...settings, defaultExpiresIn: 9000, maxExpiresIn };
      const ask = (parameters: Record<string, string>, client = exampleClient) =>
        parse(parameters, client, longest).expiresIn;
      expect(ask({ requested_expiry: '9000' })).toBe(expiresIn);
      expect(ask({}, { ...exampleClient, expires_in: 9000 })).toBe(expiresIn);
      expect(ask({})).toBe(expiresIn);
    },
  );

  it('left out, is what the client registered, or the deployment’s default', () => {
    expect(parse({}, { expires_in: 45 }).expiresIn).toBe(45);
    expect(parse({}).expiresIn).toBe(120);
  });
});

describe('where the user types the binding message as a code', () => {
  const level = { confirmation_level: 'code' } as const;

  function faultOf(
    parameters: Record<string, string>,
    client: Partial<typeof exampleClient> = level,
  ) {
    try {
      parse(parameters, client);
    } catch (error) {
      if (error instanceof OAuthError) return [error.code, error.message];
    }
    return undefined;
  }

  it('is required, with four letters or digits', () => {
    expect(parse({ binding_message: 'A-1 2b' }, level)).toMatchObject({
      bindingMessage: 'A-1 2b',
      confirmationLevel: 'code',
    });
    expect(faultOf({})).toEqual([
      'invalid_binding_message',
      'A binding_message is required: the user types it as a code.',
    ]);
    expect(faultOf({ binding_message: 'A-1 2' })).toEqual([
      'invalid_binding_message',
      'The binding_message has fewer than 4 letters or digits: the user types it as a code.',
    ]);
    expect(faultOf({ binding_message: 'a@b.example' })).toMatchObject([
      'invalid_binding_message',
      expect.stringContaining('position 2'),
    ]);
  });

  it('may be so for one request alone, which acr_values says', () => {
    const acr_values = `${ISSUER}/acr/code`;
    expect(faultOf({ acr_values }, {})?.[0]).toBe('invalid_binding_message');
    expect(faultOf({ acr_values: `${ISSUER}/acr/link` }, {})).toBeUndefined();
    expect(parse({ acr_values, binding_message: '4711' }).confirmationLevel).toBe('code');
  });

  it('P15: is not so where acr_values names a level that the request can meet, after one that it cannot', () => {
    const acr_values = `${ISSUER}/acr/code ${ISSUER}/acr/link`;
    expect(parse({ acr_values }).confirmationLevel).toBe('link');
    expect(parse({ acr_values, binding_message: '471' })).toMatchObject({
      bindingMessage: '471',
      confirmationLevel: 'link',
    });
    expect(parse({ acr_values, binding_message: '4711' }).confirmationLevel).toBe('code');
    expect(faultOf({ acr_values })?.[0]).toBe('invalid_binding_message');
    expect(faultOf({ acr_values, binding_message: 'evil.com' }, {})?.[0]).toBe(
      'invalid_binding_message',
    );
  });
});

describe('the errors', () => {
  it.each<[OAuthErrorCode, string, Record<string, string>]>([
    ['invalid_request', 'no scope', { scope: '' }],
    ['invalid_scope', 'no openid', { scope: 'profile' }],
    ['invalid_scope', 'openid in another case', { scope: 'OpenID' }],
    ['invalid_scope', 'a scope that is not registered', { scope: 'openid address' }],
    ['invalid_scope', 'two spaces', { scope: 'openid  profile' }],
    ['invalid_scope', 'a quote', { scope: 'openid "x"' }],
    ['invalid_scope', '161 characters', { scope: `openid ${'x'.repeat(154)}` }],
    ['invalid_request', 'no hint', { login_hint: '' }],
    ['invalid_request', 'login_hint and id_token_hint', { id_token_hint: 'x' }],
    ['invalid_request', 'login_hint and login_hint_token', { login_hint_token: 'x' }],
    ['invalid_request', 'a login_hint of 513 characters', { login_hint: 'x'.repeat(513) }],
    ['invalid_request', 'a login_hint of 4,097 characters', { login_hint: '{'.padEnd(4097) }],
    ['invalid_request', 'T22: a signed request', { request: 'x' }],
    ['invalid_authorization_details', 'authorization_details', { authorization_details: '[]' }],
    ['invalid_binding_message', 'a link', { binding_message: 'evil.com' }],
    ['invalid_binding_message', 'a line break', { binding_message: 'a\nb' }],
  ])('%s: %s', (code, _what, parameters) => {
    expect(codeOf(parameters)).toBe(code);
  });

  it('invalid_binding_message names the position and repeats nothing', () => {
    expect(() => parse({ binding_message: 'Pump <canary>' })).toThrow(
      'The binding_message is not acceptable at position 6: a character there cannot be shown.',
    );
  });

  it('P30: a link is refused with its position and a way out, and nothing of it is repeated', () => {
    expect(() => parse({ binding_message: 'Do you want to buy 10 AAPL.US?' })).toThrow(
      'The binding_message is not acceptable at position 26: a link or an address begins there, or a telephone number; put a space after its dot, colon or plus sign, write the sign as a word (example dot com), or group the digits in another way.',
    );
  });
});
