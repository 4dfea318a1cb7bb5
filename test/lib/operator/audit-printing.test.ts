/** What the audit is printed with: cells that are safe in a spreadsheet, bars, sums. */
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../lambdas/ciba/audit.ts';
import { approvalRate, auditCounts, sumsOfDays } from '../../../lib/operator/audit-stats.ts';
import { bar } from '../../../lib/operator/bar-chart.ts';
import { csvRecord } from '../../../lib/operator/csv.ts';

describe('comma-separated values (RFC 4180)', () => {
  it.each<[string[], string]>([
    [['a', '', 'b c'], 'a,,b c\r\n'],
    [['a,b', 'say "a"', 'two\nlines'], '"a,b","say ""a""","two\nlines"\r\n'],
    [['=1+1', '+1', '-1', '@a', '\ta'], "'=1+1,'+1,'-1,'@a,'\ta\r\n"],
    [['=a,b', '=HYPERLINK("x")'], '"\'=a,b","\'=HYPERLINK(""x"")"\r\n'],
    [['2026-11-25', 'a=b'], '2026-11-25,a=b\r\n'],
  ])('%j', (cells, record) => {
    expect(csvRecord(cells)).toBe(record);
  });
});

describe('a bar', () => {
  it.each<[number, boolean, string]>([
    [0, true, ''],
    [100, true, '████████'],
    [50, true, '████'],
    [1, true, '▏'],
    [20, true, '█▋'],
    [0, false, ''],
    [100, false, '########'],
    [50, false, '####'],
    [1, false, '#'],
  ])('of %d of 100 (UTF-8: %s)', (value, isUtf8, drawn) => {
    expect(bar(value, 100, 8, isUtf8)).toBe(drawn);
  });
});

const DAY = 86_400;

function entry(changes: Partial<AuditEntry>): AuditEntry {
  const askedAt = changes.askedAt ?? 10;
  return { ref: 'r', outcome: 'pending', at: askedAt, askedAt, clientId: 'pump-4', ...changes };
}

const decided = (seconds: number, decision: 'approved' | 'denied' = 'approved') =>
  entry({ outcome: decision, decision, decidedAt: 10 + seconds, mailedAt: 11 });

function countsOf(entries: AuditEntry[]) {
  const counts = auditCounts((at) => `day ${Math.floor(at / DAY)}`);
  for (const one of entries) counts.add(one);
  return counts.stats();
}

describe('the sums', () => {
  it('are by day and client, the newest day first', () => {
    const found = countsOf([
      entry({}),
      entry({ clientId: 'desk' }),
      entry({ askedAt: DAY }),
      entry({ askedAt: DAY - 0.001 }),
    ]);
    expect(found.map(({ day, clientId, asked }) => [day, clientId, asked])).toEqual([
      ['day 1', 'pump-4', 1],
      ['day 0', 'desk', 1],
      ['day 0', 'pump-4', 2],
    ]);
    expect(sumsOfDays(found)).toMatchObject([
      { day: 'day 0', asked: 3 },
      { day: 'day 1', asked: 1 },
    ]);
  });

  it('count outcomes, decisions and mails; an approval counts whatever became of it', () => {
    const expired = { ...decided(5), outcome: 'expired' } as const;
    const [stats] = countsOf([
      decided(5),
      expired,
      decided(9, 'denied'),
      entry({ outcome: 'throttled' }),
    ]);
    expect(stats).toMatchObject({ asked: 4, approved: 2, denied: 1, mails: 3 });
    expect(stats?.outcomes).toMatchObject({ approved: 1, expired: 1, denied: 1, throttled: 1 });
    expect(stats && approvalRate(stats)).toBeCloseTo(2 / 3);
  });

  it.each<[string, AuditEntry[], number | undefined]>([
    ['one decision', [decided(7)], 7],
    ['an odd number', [decided(30), decided(2), decided(9)], 9],
    ['an even number', [decided(30), decided(2), decided(10), decided(8, 'denied')], 9],
    ['none', [entry({})], undefined],
  ])('have the median time to decide of %s', (_what, entries, median) => {
    expect(countsOf(entries)[0]?.medianSeconds).toBe(median);
  });

  it('have no rate without a decision', () => {
    expect(approvalRate({ approved: 0, denied: 0 })).toBeUndefined();
  });
});
