/**
 * Mutants of the rules: of each rule each clause is taken out once, also of those within others,
 * and each member that it writes or removes.
 */
import type { Clause, Rule } from '../../lambdas/ciba/request/rule.ts';
import { productionRules, type Rules } from './request-model.ts';

type RuleName = Exclude<keyof Rules, 'mayIssue'>;

type AnyRule = Rule<string>;

export interface Mutant {
  /** The rule, and what it has no more. */
  name: string;
  rule: RuleName;
  rules: Rules;
}

const user = { ref: 'r', linkNonce: 'n', contactVersion: 1, now: 1 };
const owner = { ref: 'r', secretHash: 'hash', clientId: 'client' };
const wrong = { ref: 'r', linkNonce: 'n', attemptId: 'a', origin: { from: '', agent: '' }, now: 1 };
const refresh = { hash: 'hash', endsAt: 1, forgetAt: 1 };

/** Each rule as it demands and writes most. */
const fullest: Record<RuleName, AnyRule[]> = {
  stampingPoll: [productionRules.stampingPoll(owner, 1)],
  slowingDown: [productionRules.slowingDown(2)],
  claimingMail: [
    productionRules.claimingMail({ ref: 'r', claimId: 'c', linkNonce: 'n', now: 1, until: 2 }),
  ],
  recordingMailed: [productionRules.recordingMailed('c', 1)],
  releasingMail: [productionRules.releasingMail('c')],
  failing: [productionRules.failing('flow_error', 1)],
  failingByMail: [productionRules.failingByMail('mail_bounced', 1)],
  notingMailFailure: [productionRules.notingMailFailure('mail_bounced', 1)],
  deciding: [
    productionRules.deciding({ ...user, decision: 'approve', origin: wrong.origin }),
    productionRules.deciding({ ...user, decision: 'report', origin: wrong.origin }),
  ],
  countingWrongCode: [productionRules.countingWrongCode(wrong)],
  denyingByWrongCode: [productionRules.denyingByWrongCode(wrong)],
  redeeming: [
    productionRules.redeeming({ ...owner, contactVersion: 1, attemptId: 'a', refresh, now: 1 }),
  ],
  recordingReplay: [productionRules.recordingReplay(owner, 20)],
  revoking: [productionRules.revoking(1)],
  refreshing: [productionRules.refreshing(owner, 1)],
};

export function mutantsOfRules(): Mutant[] {
  return ruleNames().flatMap((rule) => {
    const changes = new Map(fullest[rule].flatMap(changesOf));
    return [...changes].map(([name, change]) => ({
      name: `${rule} without ${name}`,
      rule,
      rules: withChange(rule, change),
    }));
  });
}

function ruleNames(): RuleName[] {
  return Object.keys(fullest) as RuleName[];
}

type Change = (rule: AnyRule) => AnyRule;

function withChange(name: RuleName, change: Change): Rules {
  const build = productionRules[name] as (...facts: unknown[]) => AnyRule;
  return { ...productionRules, [name]: (...facts: unknown[]) => change(build(...facts)) };
}

/** Every way to take something out of this rule, by what it is. */
function changesOf(rule: AnyRule): [string, Change][] {
  const clauses = rule.demands.flatMap(([clause], at) =>
    pathsOf(clause).map(([inner, name]): [string, Change] => {
      const path = [at, ...inner];
      return [`demand ${path.map((step) => step + 1).join('.')}, ${name}`, withoutClause(path)];
    }),
  );
  const members = (['set', 'keep', 'count'] as const).flatMap((part) =>
    Object.keys(rule[part] ?? {}).map((member): [string, Change] => [
      `what it writes to ${member}`,
      (whole) => ({ ...whole, [part]: { ...whole[part], [member]: undefined } }),
    ]),
  );
  const removed = (rule.remove ?? []).map((member): [string, Change] => [
    `the removal of ${member}`,
    (whole) => ({ ...whole, remove: whole.remove?.filter((other) => other !== member) ?? [] }),
  ]);
  return [...clauses, ...members, ...removed];
}

/** The clause and those within it, each with the way to it. */
function pathsOf(clause: Clause): [number[], string][] {
  const own: [number[], string] = [[], describeClause(clause)];
  if (clause[0] !== 'all' && clause[0] !== 'any') return [own];
  const inner = clause[1].flatMap((each, at) =>
    pathsOf(each).map(([path, name]): [number[], string] => [[at, ...path], name]),
  );
  return [own, ...inner];
}

function describeClause([sign, subject]: Clause): string {
  return typeof subject === 'string' ? `${subject} ${sign}` : sign;
}

function withoutClause([at = 0, ...inner]: number[]): Change {
  return (rule) => ({
    ...rule,
    demands: rule.demands.flatMap((demand, index): AnyRule['demands'] => {
      if (index !== at) return [demand];
      return inner.length === 0 ? [] : [[withoutInner(demand[0], inner), demand[1]]];
    }),
  });
}

function withoutInner(clause: Clause, [at = 0, ...inner]: number[]): Clause {
  if (clause[0] !== 'all' && clause[0] !== 'any') return clause;
  const kept = clause[1].flatMap((each, index) => {
    if (index !== at) return [each];
    return inner.length === 0 ? [] : [withoutInner(each, inner)];
  });
  return [clause[0], kept];
}
