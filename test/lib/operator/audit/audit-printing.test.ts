/** What the audit is printed with: cells that are safe in a spreadsheet, bars, sums. */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailFailures } from '../../../../lambdas/ciba/mail-failure.ts';
import { reachedLimits } from '../../../../lambdas/ciba/policy/notification-policy.ts';
import { overLimitCause } from '../../../../lambdas/ciba/policy/over-limit.ts';
import { failureCauses } from '../../../../lambdas/ciba/request/authentication-request.ts';
import { CAUSE_LENGTH } from '../../../../lambdas/ciba/request/refused-request.ts';
import { unreachableReasons } from '../../../../lambdas/ciba/user/user.ts';
import {
  type AuditEntry,
  auditOutcomes,
  denialCauses,
} from '../../../../lib/operator/audit/audit-entry.ts';
import {
  approvedOfDecided,
  auditCounts,
  type StatsPart,
  statsParts,
  sumsOfDays,
} from '../../../../lib/operator/audit/audit-stats.ts';
import { printPage, printStats, tellParts } from '../../../../lib/operator/audit/print-audit.ts';
import {
  fittingWidths,
  listRow,
  standardWidths,
} from '../../../../lib/operator/audit/show-audit.ts';
import { auditCauses, causesOf } from '../../../../lib/operator/audit/tell-outcome.ts';
import { stackedBar } from '../../../../lib/operator/terminal/bar-chart.ts';
import { csvRecord } from '../../../../lib/operator/terminal/csv.ts';
import { createOutput } from '../../../../lib/operator/terminal/output.ts';
import { displayWidth } from '../../../../lib/operator/terminal/text-layout.ts';

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
  it.each<[number[], string]>([
    [[0, 0], ''],
    [[100, 0], 'aaaaaaaa'],
    [[50, 50], 'aaaabbbb'],
    [[25, 25], 'aabb'],
    [[1, 0], 'a'],
    [[1, 99], 'abbbbbbb'],
    [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 'abcdefghij'],
  ])('of parts %j, the largest being 100', (values, drawn) => {
    const parts = values.map((value, at) => ({ value, sign: 'abcdefghij'.charAt(at) }));
    expect(stackedBar(parts, 100, 8)).toBe(drawn);
  });

  it('O30: is as long as it should be, and shows whatever is not nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(10_000), { minLength: 1, maxLength: 7 }),
        fc.nat(50_000),
        (values, more) => {
          const parts = values.map((value, at) => ({ value, sign: 'abcdefg'.charAt(at) }));
          const total = values.reduce((sum, value) => sum + value, 0);
          const bar = stackedBar(parts, total + more, 70);
          expect(bar.length).toBeLessThanOrEqual(70);
          if (more === 0 && total > 0) expect(bar).toHaveLength(70);
          for (const { value, sign } of parts) expect(bar.includes(sign)).toBe(value > 0);
        },
      ),
    );
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

/** Every outcome with every cause that it can have, and what the causes are called. */
const everyOutcome: Partial<AuditEntry>[] = [
  ...auditOutcomes.map((outcome) => ({ outcome })),
  ...denialCauses.map((cause) => ({ outcome: 'denied' as const, cause })),
  { outcome: 'expired', decision: 'approved' },
  ...failureCauses.map((cause) => ({ outcome: 'failed' as const, cause })),
  ...(['pending', 'expired'] as const).flatMap((outcome) =>
    unreachableReasons.map((decoy) => ({ outcome, decoy })),
  ),
  ...(['pending', 'expired', 'approved', 'redeemed'] as const).flatMap((outcome) =>
    mailFailures.map((mailFailure) => ({ outcome, mailFailure })),
  ),
  ...unreachableReasons.map((cause) => ({
    outcome: 'refused' as const,
    code: 'unknown_user_id' as const,
    cause,
  })),
  ...reachedLimits
    .flatMap((limit) => [true, false].map((ofShare) => ({ limit, ofShare })))
    .map((reached) => ({
      outcome: 'throttled' as const,
      code: 'access_denied' as const,
      cause: overLimitCause(reached),
    })),
  ...['id_token_hint: iss', 'id_token_hint: iat', 'x'.repeat(CAUSE_LENGTH), 'a b '.repeat(30)].map(
    (cause) => ({ outcome: 'refused' as const, code: 'invalid_request' as const, cause }),
  ),
  { outcome: 'throttled', code: 'access_denied', cause: 'over what nobody knows any more' },
];

describe('a row of the list', () => {
  const names = {
    'u-long': 'a-user-name-of-more-than-any-column-has',
    'u-wide': '山田太郎山田太郎',
  };
  const nameOf = (sub: string) => names[sub as keyof typeof names] ?? sub;
  const rowOf = (entry: AuditEntry, widths = standardWidths) =>
    listRow(entry, { zone: 'utc', nameOf, widths, tone: (_tone, text) => text });
  const parties = ['pump-4', 'a-client-whose-id-is-longer-than-its-column-is'].flatMap((clientId) =>
    ['u-alice', 'u-long', 'u-wide', undefined].map((sub) => ({
      clientId,
      ref: 'a'.repeat(26),
      ...(sub !== undefined && { sub }),
    })),
  );

  it.each(parties)('O29: of every outcome with every cause is its own, for %j', (party) => {
    const entries = everyOutcome.map((changes) => entry({ ...changes, ...party }));
    for (const widths of [standardWidths, fittingWidths(entries, nameOf)]) {
      const rows = entries.map((one) => rowOf(one, widths));
      expect(new Set(rows).size).toBe(new Set(entries.map((one) => JSON.stringify(one))).size);
      for (const line of rows.flatMap((row) => row.split('\n'))) {
        expect(displayWidth(line)).toBeLessThanOrEqual(80);
      }
      for (const row of rows) expect(row).toContain('a'.repeat(26));
    }
  });

  it('O29: tells every cause of ours on its one line', () => {
    const own = everyOutcome.filter(({ cause }) => !/[: ]/.test(cause ?? ''));
    for (const changes of own) {
      const row = rowOf(entry({ ...changes, ref: 'a'.repeat(26) }));
      if ((changes.cause?.length ?? 0) < CAUSE_LENGTH) expect(row).not.toContain('\n');
    }
  });

  it('O29: has a whole reason below where the columns are too few', () => {
    const refused = entry({
      outcome: 'refused',
      code: 'invalid_request',
      cause: 'id_token_hint: not signed by a key of this provider, and much else that is wrong',
      sub: 'u-alice',
      ref: 'b'.repeat(26),
    });
    expect(rowOf(refused).split('\n')).toEqual([
      `00:00:10  pump-4    u-alice   refused                 ${'b'.repeat(26)}`,
      '          invalid_request: id_token_hint: not signed by a key of this provider,',
      '          and much else that is wrong',
    ]);
  });

  it('O29: is what the README shows, line by line', () => {
    const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');
    const askedAt = (time: string) => Date.parse(`2027-01-15T${time}Z`) / 1000;
    const shown = [
      entry({
        ...{ askedAt: askedAt('21:03:42'), sub: 'eve', ref: 'py4zfzxav6lcxbutnu7urrtvsd' },
        ...{ outcome: 'failed', cause: 'mail_bounced' },
      }),
      entry({
        ...{ askedAt: askedAt('21:03:19'), sub: 'alice', ref: 'mwghdmai6if4c2epheeajwktsl' },
        ...{ outcome: 'denied', cause: 'reported' },
      }),
      entry({
        ...{ askedAt: askedAt('20:55:46'), sub: 'alice', ref: 't5ho73ci6vltug7neenntl3s2m' },
        ...{ outcome: 'denied', cause: 'wrong_codes' },
      }),
    ];
    const stdout = new PassThrough();
    const output = createOutput({ stdout, stderr: new PassThrough() }, () => false);
    printPage({ output, zone: 'utc', csv: false }, { entries: shown, looked: 3 }, nameOf);
    const indented = String(stdout.read()).replace(/^(?=.)/gm, '    ');
    expect(readme).toContain(`\n\n${indented}\n`);
  });

  it('O29: has a cause for every name of --cause, and a name for every cause of ours', () => {
    const known = everyOutcome.flatMap((changes) => causesOf(entry(changes)));
    const unused = auditCauses.filter((cause) => !known.includes(cause));
    // Codes whose cause is in words of the refusal.
    expect(unused).toEqual([
      'invalid_scope',
      'expired_login_hint_token',
      'unauthorized_client',
      'invalid_binding_message',
      'invalid_authorization_details',
    ]);
    const ours = known.filter((cause) => /^[a-z_]+$/.test(cause));
    for (const cause of ours) {
      if (cause.length < CAUSE_LENGTH) expect(auditCauses).toContain(cause);
    }
  });
});

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
    expect(stats).toMatchObject({
      asked: 4,
      parts: { approved: 2, denied: 1, refused: 1 },
      mails: 3,
    });
    expect(stats?.outcomes).toMatchObject({ approved: 1, expired: 1, denied: 1, throttled: 1 });
    expect(stats && approvedOfDecided(stats)).toBeCloseTo(2 / 3);
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
    const [stats] = countsOf([entry({}), entry({ outcome: 'refused' })]);
    expect(stats && approvedOfDecided(stats)).toBeUndefined();
  });

  const outcomes = everyOutcome.map(({ outcome, cause, decision }) => ({
    outcome: outcome ?? 'pending',
    ...(cause !== undefined && { cause }),
    ...(outcome === 'denied' && { decision: 'denied' as const }),
    ...((outcome === 'approved' || outcome === 'redeemed') && { decision: 'approved' as const }),
    ...(decision && { decision }),
  }));
  const anyEntries = fc.array(
    fc
      .record({
        told: fc.constantFrom(...outcomes),
        askedAt: fc.integer({ min: 0, max: 3 * DAY }),
        clientId: fc.constantFrom('pump-4', 'a-client-of-a-name-as-long-as-any-may-be'),
        seconds: fc.nat(600),
      })
      .map(({ told, askedAt, clientId, seconds }) =>
        entry({
          ...told,
          askedAt,
          clientId,
          ...(told.decision && { decidedAt: askedAt + seconds }),
        }),
      ),
    { maxLength: 60 },
  );

  it('O30: the parts of every sum, as counted and as printed, add up to the number asked, each under its own word', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const stats = countsOf(entries);
        for (const sum of [...stats, ...sumsOfDays(stats)]) {
          const text = tellParts(sum);
          const [asked, ...parts] = [...text.matchAll(/(?<!\()\b(\d+) /g)].map(([, n]) =>
            Number(n),
          );
          expect(parts.reduce((total, part) => total + part, 0)).toBe(asked);
          for (const part of statsParts) {
            const words = part.replace('_', ' ');
            const counted = new RegExp(`(\\d+) ${words}`).exec(text)?.[1] ?? '0';
            expect([part, Number(counted)]).toEqual([part, sum.parts[part]]);
          }
          const notMe = Number(/\((\d+) not me\)/.exec(text)?.[1] ?? 0);
          expect(notMe).toBe(sum.reported);
          expect(notMe).toBeLessThanOrEqual(sum.parts.denied);
        }
        expect(stats.reduce((sum, { asked }) => sum + asked, 0)).toBe(entries.length);
        for (const part of statsParts) {
          const ofPart = entries.filter((one) => partOf(one) === part);
          expect(stats.reduce((sum, { parts }) => sum + parts[part], 0)).toBe(ofPart.length);
        }
      }),
    );
  });

  /** Said again, in the order in which one would explain it. */
  function partOf({ outcome, decision }: AuditEntry): StatsPart {
    if (decision !== undefined) return decision;
    if (outcome === 'expired') return 'ran_out';
    if (outcome === 'pending') return 'open';
    if (outcome === 'throttled') return 'refused';
    if (outcome === 'redeemed') return 'approved';
    return outcome;
  }

  it.each([true, false])('O30: are printed whole in 80 columns (UTF-8: %s)', (isUtf8) => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const stdout = new PassThrough();
        const output = createOutput({ stdout, stderr: new PassThrough() }, () => false);
        const printing = { output, zone: 'utc' as const, csv: false };
        printStats(printing, countsOf(entries), { isUtf8, range: { from: 0, to: 3 * DAY } });
        const text = String(stdout.read());
        for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
        if (!isUtf8) expect(text).not.toMatch(/[█▓░▒]/);
        if (entries.length > 0)
          expect(text).toMatch(/^DAY \(UTC\) +CLIENT +OF DECIDED +DECIDED IN/);
      }),
      { numRuns: 50 },
    );
  });

  it('O30: say of how many asked how many were approved, as the example has it', () => {
    const times = (count: number, changes: Partial<AuditEntry>) =>
      Array.from({ length: count }, () => entry(changes));
    const [stats] = countsOf([
      ...times(7, { outcome: 'redeemed', decision: 'approved', decidedAt: 30 }),
      ...times(3, { outcome: 'denied', decision: 'denied', decidedAt: 30 }),
      ...times(1, { outcome: 'denied', decision: 'denied', decidedAt: 30, cause: 'reported' }),
      ...times(15, { outcome: 'expired' }),
      ...times(2, { outcome: 'refused' }),
    ]);
    expect(stats && tellParts(stats)).toBe(
      '28 asked: 7 approved, 4 denied (1 not me), 15 ran out, 2 refused',
    );
    expect(stats && approvedOfDecided(stats)).toBeCloseTo(7 / 11);
  });
});
