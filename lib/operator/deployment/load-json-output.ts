/**
 * The stack's outputs that are JSON: maps whose names the operator chose, as those of flows and
 * templates.
 */
import * as z from 'zod';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import type { Deployment } from './deployment.ts';

/** The locales of each template by its name. */
export function localesOf(deployment: Pick<Deployment, 'output'>): Record<string, string[]> {
  const name = 'NotificationTemplates';
  return readJson(name, deployment.output(name), z.record(z.string(), z.array(z.string())));
}

/** The ARN of each flow's state machine by its name. */
export function flowsOf(deployment: Pick<Deployment, 'output'>): Record<string, string> {
  return readJson('Flows', deployment.output('Flows'), z.record(z.string(), z.string()));
}

/**
 * Policies by their names, each with its numbers, and the name of the one that clients go by which
 * name none.
 */
export interface PoliciesOutput {
  byDefault: string;
  policies: Record<string, Record<string, number>>;
}

/** The policies of one kind. */
export function policiesOf(
  deployment: Pick<Deployment, 'output'>,
  kind: 'Notification' | 'Flow',
): PoliciesOutput {
  const name = `${kind}Policies` as const;
  const members = z.record(z.string(), z.number());
  return {
    byDefault: deployment.output(`${kind}Policy`),
    policies: readJson(name, deployment.output(name), z.record(z.string(), members)),
  };
}

/** @throws OperatorError for an output that is not of this form */
function readJson<Value>(name: string, text: string, schema: z.ZodType<Value>): Value {
  const parsed = schema.safeParse(parseStrictJson(text));
  if (parsed.success) return parsed.data;
  throw new OperatorError(`The output ${name} cannot be read: npx cdk deploy`, {
    cause: parsed.error,
  });
}
