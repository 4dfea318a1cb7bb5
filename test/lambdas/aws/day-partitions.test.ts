/** How a day's requests are spread over the index, and which partitions a question has to read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayPartition, dayPartitions } from '../../../lambdas/aws/day-partitions.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../support/example-request.ts';

const DAY = '2023-11-14';

describe('the partition of a request', () => {
  it('is of its day (UTC), to the last millisecond', () => {
    const request = exampleRequest();
    const midnight = EXAMPLE_NOW - (EXAMPLE_NOW % 86_400) + 86_400;
    expect(dayPartition({ ...request, createdAt: midnight - 0.001 })).toMatch(/^2023-11-14#/);
    expect(dayPartition({ ...request, createdAt: midnight })).toMatch(/^2023-11-15#/);
  });

  it('stays what it was: what is stored is found by it (golden)', () => {
    expect(dayPartition({ ...exampleRequest(), ref: 'a', createdAt: EXAMPLE_NOW })).toBe(
      '2023-11-14#13',
    );
  });

  it('is among those that are read for its client, for its user, for both and for all', () => {
    const id = fc.string({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(id, id, id, (ref, clientId, sub) => {
        const own = dayPartition({ ref, clientId, sub, createdAt: EXAMPLE_NOW });
        for (const whose of [{}, { clientId }, { sub }, { clientId, sub }]) {
          expect(dayPartitions(DAY, whose)).toContain(own);
        }
      }),
    );
  });

  it('of requests for nobody is drawn by chance', () => {
    const drawn = Array.from({ length: 200 }, (_, index) =>
      dayPartition({ ref: `r${index}`, clientId: 'c', sub: '', createdAt: EXAMPLE_NOW }),
    );
    expect(new Set(drawn).size).toBe(4);
  });
});

describe('what is read', () => {
  it('is sixteen partitions for all, four for a client or a user, one for both', () => {
    expect(new Set(dayPartitions(DAY, {})).size).toBe(16);
    expect(new Set(dayPartitions(DAY, { clientId: 'pump-4' })).size).toBe(4);
    expect(new Set(dayPartitions(DAY, { sub: 'u-alice' })).size).toBe(4);
    expect(dayPartitions(DAY, { clientId: 'pump-4', sub: 'u-alice' })).toHaveLength(1);
  });
});

describe('the spread', () => {
  it('of numbered clients and users leaves no partition with twice its share', () => {
    const counts = new Map<string, number>();
    const [clients, users] = [100, 100];
    for (let client = 0; client < clients; client += 1) {
      for (let user = 0; user < users; user += 1) {
        const drawn = { ref: '', clientId: `pump-${client}`, sub: `u-${user}` };
        const partition = dayPartition({ ...drawn, createdAt: EXAMPLE_NOW });
        counts.set(partition, (counts.get(partition) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(16);
    expect(Math.max(...counts.values())).toBeLessThan((2 * clients * users) / 16);
  });
});
