/** The stack's outputs that are JSON: maps whose names the operator chose, as those of flows and templates. */
import * as z from 'zod';
import type { Deployment, StackOutput } from './deployment.ts';
import { OperatorError } from './operator-error.ts';

/** The locales of each template by its name. */
export function localesOf(deployment: Pick<Deployment, 'output'>): Record<string, string[]> {
  return readJsonOutput(
    deployment,
    'NotificationTemplates',
    z.record(z.string(), z.array(z.string())),
  );
}

/** The ARN of each flow's state machine by its name. */
export function flowsOf(deployment: Pick<Deployment, 'output'>): Record<string, string> {
  return readJsonOutput(deployment, 'Flows', z.record(z.string(), z.string()));
}

/** Every policy by its name: the weight of each flow in it. */
export function flowPoliciesOf(
  deployment: Pick<Deployment, 'output'>,
): Record<string, Record<string, number>> {
  return readJsonOutput(
    deployment,
    'FlowPolicies',
    z.record(z.string(), z.record(z.string(), z.number())),
  );
}

/** @throws OperatorError for an output that there is not, or that is not of this form */
function readJsonOutput<Value>(
  deployment: Pick<Deployment, 'output'>,
  name: StackOutput,
  schema: z.ZodType<Value>,
): Value {
  const parsed = schema.safeParse(parseJson(deployment.output(name)));
  if (parsed.success) return parsed.data;
  throw new OperatorError(`The output ${name} cannot be read: npx cdk deploy`, {
    cause: parsed.error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
