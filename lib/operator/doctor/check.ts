/** What a check of `ciba doctor` looks at, and what it says. */
import type { Clock } from '../../../lambdas/ports.ts';
import type { Deployment } from '../deployment/deployment.ts';

/** `not here`: the endpoint, such as the local host, does not offer what the check looks at. */
export const verdicts = ['ok', 'warning', 'fault', 'not here'] as const;

export type Verdict = (typeof verdicts)[number];

/** What a check has found. */
export interface Finding {
  verdict: Verdict;
  message: string;
  /** The command, or the deed, that mends it. */
  mend?: string;
}

/** What is checked. */
export interface Patient {
  deployment: Deployment;
  clock: Clock;
  fetch: typeof fetch;
}

/** Looks at one thing; throws whatever AWS or the network throws. */
export type Check = (patient: Patient) => Promise<Finding[]>;
