/**
 * What is kept of where a decision was made: a network and a family, or all there is room for, or
 * nothing; and that whatever comes in, what comes out is bounded and printable.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decisionOrigin,
  decisionOriginDetails,
  originOctets,
  originText,
} from '../../../../lambdas/ciba/request/decision-origin.ts';
import { findGrowthFault } from '../../../support/cpu-growth.ts';
import { exampleRequest } from '../../../support/example-request.ts';

const request = exampleRequest();

function coarse(sourceIp: string | undefined, userAgent?: string) {
  return decisionOrigin('coarse', { sourceIp, userAgent }, request);
}

describe('P10: the network of the size of a country', () => {
  it.each([
    ['203.0.113.7', '203.0.0.0/16'],
    ['0.0.0.0', '0.0.0.0/16'],
    ['255.255.255.255', '255.255.0.0/16'],
    ['127.0.0.1', '127.0.0.0/16'],
    ['::ffff:203.0.113.7', '203.0.0.0/16'],
    ['::FFFF:cb00:7107', '203.0.0.0/16'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8::/32'],
    ['2001:0DB8:0000::1', '2001:db8::/32'],
    ['2001:db8::', '2001:db8::/32'],
    ['2001::1', '2001::/32'],
    ['::1', '::/32'],
    ['::', '::/32'],
    ['fe80::1', 'fe80::/32'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff::/32'],
    ['64:ff9b::203.0.113.7', '64:ff9b::/32'],
  ])('of %s is %s', (address, network) => {
    expect(coarse(address)?.from).toBe(network);
  });

  it.each([
    undefined,
    '',
    'localhost',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.7.1',
    '0x7f.1',
    '203.0.113.7:443',
    '203.0.113.7, 198.51.100.1',
    '[::1]',
    ':::',
    '1:2:3',
    '::1%eth0',
    '1:2:3:4:5:6:7:8:9',
    '::ffff:203.0.113.700',
    '::1]@example.com',
    'a'.repeat(10_000),
    '１.２.３.４',
  ])('of %j is unknown', (text) => {
    expect(coarse(text)?.from).toBe('unknown');
    expect(decisionOrigin('full', { sourceIp: text, userAgent: '' }, request)?.from).toBe(
      'unknown',
    );
  });
});

describe('P10: the family of the browser', () => {
  const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
  it.each([
    [
      'Chrome',
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/131.0.0.0 Safari/537.36`,
    ],
    [
      'Chrome',
      `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) ${webkit} CriOS/131.0 Mobile Safari/604.1`,
    ],
    [
      'Safari',
      `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) ${webkit} Version/18.1 Mobile Safari/604.1`,
    ],
    ['Firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'],
    ['Firefox', `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) ${webkit} FxiOS/132.0 Mobile Safari/605`],
    ['Edge', `Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0`],
    ['Edge', `Mozilla/5.0 (Linux; Android 10) ${webkit} Chrome/131.0 Mobile Safari EdgA/131.0`],
    ['Opera', `Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/130.0 Safari/537.36 OPR/115.0`],
    [
      'Samsung',
      `Mozilla/5.0 (Android 14) ${webkit} SamsungBrowser/26.0 Chrome/122.0 Safari/537.36`,
    ],
    ['other', 'curl/8.5.0'],
    ['other', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) AppleWebKit/605.1.15 Mobile/15E148'],
    ['other', '<script>alert(1)</script>'],
    ['none', ''],
    ['none', '   '],
    ['none', '\u0007\u001b'],
    ['none', undefined],
    ['other', `${'x'.repeat(200)} Firefox/132.0`],
  ])('is %s of %s', (family, userAgent) => {
    expect(coarse('203.0.113.7', userAgent)?.agent).toBe(family);
  });
});

describe('P10: the whole origin', () => {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:0db8:0::0001', '2001:db8::1'],
    ['::', '::'],
  ])('of %s is %s, and what the browser says', (sourceIp, from) => {
    expect(decisionOrigin('full', { sourceIp, userAgent: agent }, request)).toEqual({
      from,
      agent,
    });
  });

  it('is printable ASCII and no longer than 200 characters', () => {
    const userAgent = `A\u001b[31m\r\nü‮B${'x'.repeat(10_000)}`;
    const told = decisionOrigin('full', { sourceIp: '::1', userAgent }, request)?.agent;
    expect(told).toMatch(/^A\[31mBx+$/);
    expect(told?.length).toBeLessThanOrEqual(200);
  });
});

it('P10: nothing is kept where nothing is to be kept', () => {
  expect(decisionOrigin('none', { sourceIp: '203.0.113.7', userAgent: 'x' }, request)).toBe(
    undefined,
  );
});

it('P10: whatever comes in, by property: bounded, printable, and the same after it was stored', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: 'binary', maxLength: 60 }));
  const agents = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(
      fc.constantFrom(...decisionOriginDetails),
      address,
      agents,
      (detail, sourceIp, userAgent) => {
        const origin = decisionOrigin(detail, { sourceIp, userAgent }, request);
        if (!origin) return detail === 'none';
        const octets = originOctets(origin.from);
        expect(octets ? originText(octets) : origin.from).toBe(origin.from);
        expect(`${origin.from} ${origin.agent}`).toMatch(/^[\x20-\x7e]*$/);
        expect(origin.from.length).toBeLessThanOrEqual(39);
        expect(origin.agent.length).toBeLessThanOrEqual(200);
        return detail === 'full' || /^\w+$/.test(origin.agent);
      },
    ),
    { numRuns: 2000 },
  );
});

it.each([':', '1.', '1:'])(
  'P10: is read in linear time, also from an address of %s',
  async (part) => {
    const fault = await findGrowthFault((size) => {
      const sourceIp = part.repeat(size / part.length);
      const userAgent = 'Chrome/ '.repeat(size / 8);
      return () => {
        for (const detail of decisionOriginDetails) {
          decisionOrigin(detail, { sourceIp, userAgent }, request);
        }
      };
    }, 1_000_000);
    expect(fault).toBeUndefined();
  },
);
