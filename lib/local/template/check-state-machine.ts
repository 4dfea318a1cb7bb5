/**
 * Whether a state machine of the template is written in the language of flows, which is all that
 * the interpreter knows. What is not stops the local host here.
 */

import { readFlow, type StateMachineDefinition } from '../../flows/flow-language.ts';
import { OperatorError } from '../../operator/terminal/operator-error.ts';

/** A state machine of which every field means here what it means on AWS. */
export interface CheckedStateMachine {
  definition: StateMachineDefinition;
  /** The task states and the function that each invokes, by name or ARN. */
  tasks: Map<string, string>;
}

/**
 * Checks a definition whose substitutions are made.
 * @throws OperatorError that names the state and the field that is not known to the local host
 */
export function checkStateMachine(logicalId: string, text: string): CheckedStateMachine {
  const read = readFlow(JSON.parse(text));
  if ('faults' in read) {
    const [{ place = '', allowed } = {}] = read.faults;
    const fault =
      allowed === undefined
        ? `${place} is not known to the local host`
        : `${place}: the local host does not know this value (allowed: ${allowed})`;
    throw new OperatorError(`${logicalId}: ${fault}`);
  }
  return read.flow;
}
