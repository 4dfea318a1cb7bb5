/**
 * Work that grows with each byte as it did with the one before (ASVS 5.0 15.2.2, 1.3.12; threats
 * T27): whatever a caller fills, twice as much of it costs at most twice the CPU time, and little
 * up to the platform's limits. The messages are those of the bundles, which stand in for the
 * platform's in what is deployed.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as messages from '../../lambdas/bundling/web-messages.ts';
import { metadataEndpoint } from '../../lambdas/endpoints/metadata.ts';
import { httpHandler } from '../../lambdas/http/api-gateway-event.ts';
import { findGrowthFault, MOST_MS } from '../support/cpu-growth.ts';
import { type Place, places, secretJwtClient } from '../support/grown-requests.ts';
import { formTokenOf, issuer, providerInMemory } from '../support/provider-in-memory.ts';

const provider = providerInMemory({
  requests: { countWrongCode: async () => ({ outcome: 'counted', left: 2 }) },
});
provider.directory.clients.set(secretJwtClient.client_id, secretJwtClient);
const link = await provider.mailedLink(
  await provider.ask({ binding_message: 'K7P-X4T', acr_values: `${issuer}/acr/code` }),
);
const formToken = formTokenOf(await (await provider.approve(new Request(link))).text());

const metadata = metadataEndpoint({
  issuer,
  keys: { publicKeys: async () => [] },
  logos: { findLogo: async () => undefined },
  clock: () => 0,
  log: () => {},
});
const handlers = {
  authorize: httpHandler(issuer, provider.authorize),
  token: httpHandler(issuer, provider.token),
  approve: httpHandler(issuer, provider.approve),
  metadata: httpHandler(issuer, metadata),
};

beforeAll(() => {
  for (const [name, message] of Object.entries(messages)) vi.stubGlobal(name, message);
});

afterAll(() => {
  vi.unstubAllGlobals();
});

describe('P1, P2, T27: at most linear, and little, is what is done with', () => {
  it.each(places({ link, formToken }).map((place) => [place.name, place] as const))(
    '%s',
    async (_name, place) => {
      expect(await faultsOf(place)).toEqual([]);
    },
  );
});

async function faultsOf({ endpoint, limit, fills, event }: Place): Promise<string[]> {
  const faults: string[] = [];
  for (const [what, fill] of fills) {
    const fault = await findGrowthFault((size) => {
      const input = event(fill(size));
      return () => handlers[endpoint](input);
    }, limit);
    if (fault !== undefined) faults.push(`${what}: ${fault}`);
  }
  return faults;
}

describe('the measure itself', () => {
  const LIMIT = 8000;

  it.each<[string, (text: string) => unknown]>([
    ['nothing', () => undefined],
    ['a search', (text) => text.indexOf('x')],
    ['a sum over all characters', (text) => [...text].reduce((sum, one) => sum + one.length, 0)],
  ])('takes %s for what is linear', async (_what, work) => {
    expect(await findGrowthFault((size) => () => work('a'.repeat(size)), LIMIT)).toBeUndefined();
  });

  it.each<[string, (size: number) => string, (text: string) => unknown]>([
    ['P1: every prefix of a language tag', (size) => 'a-'.repeat(size / 2), everyPrefix],
    [
      'P2: a media type with spaces that may belong to either side',
      (size) => `application/x-www-form-urlencoded${' '.repeat(size)}x`,
      (text) => /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"?)? *$/i.test(text),
    ],
    [
      'spaces at the end, looked for from every space',
      (size) => `a${' '.repeat(size)}b`,
      (text) => text.replace(/^[\t ]+|[\t ]+$/g, ''),
    ],
    [
      'marks that are put in order one by one',
      (size) => '\u0301\u0323'.repeat(size / 2),
      (text) => text.normalize('NFKC'),
    ],
  ])('finds %s', async (_what, fill, work) => {
    const fault = await findGrowthFault((size) => {
      const text = fill(size);
      return () => work(text);
    }, LIMIT);
    expect(fault).toMatch(/8000: [\d.]+ ms$/);
  });

  it('finds what is linear and too much', async () => {
    const busy = (size: number) => () => spin((size / LIMIT) * 2 * MOST_MS);
    expect(await findGrowthFault(busy, LIMIT)).toBeDefined();
  });
});

/** As a lookup once did. */
function everyPrefix(range: string): string[] {
  const subtags = range.split('-');
  return subtags.map((_, index) => subtags.slice(0, subtags.length - index).join('-'));
}

function spin(milliseconds: number): void {
  const { user, system } = process.cpuUsage();
  let spent = 0;
  while (spent < milliseconds) {
    const now = process.cpuUsage();
    spent = (now.user + now.system - user - system) / 1000;
  }
}
