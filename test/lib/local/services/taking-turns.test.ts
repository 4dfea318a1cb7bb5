/**
 * No more than so many run at once, each gets its turn in order, and a failure gives its place
 * back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { takingTurns } from '../../../../lib/local/services/taking-turns.ts';

it('lets no more run at once than may, begins in order, and comes to an end', async () => {
  const work = fc.record({ turns: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(work), async (count, works) => {
      const turn = takingTurns(count);
      const begun: number[] = [];
      let [running, most] = [0, 0];
      const results = works.map(({ turns, fails }, index) =>
        turn().then(async (done) => {
          begun.push(index);
          running += 1;
          most = Math.max(most, running);
          for (let turn = 0; turn < turns; turn += 1) await sleep(0);
          running -= 1;
          done();
          if (fails) throw new Error('failed');
        }),
      );
      const settled = await Promise.allSettled(results);
      expect(settled.map(({ status }) => status === 'rejected')).toEqual(
        works.map(({ fails }) => fails),
      );
      expect(most).toBe(Math.min(count, works.length));
      expect(begun).toEqual(works.map((_, index) => index));
    }),
    { numRuns: 50 },
  );
});
