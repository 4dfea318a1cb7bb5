/**
 * Whether a state machine of the template is written in the language of flows, which the interpreter runs as AWS does. It
 * ignores what it does not know, so anything else stops the local host here.
 */
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { readFlow } from '../flow-language.ts';
import { LocalHostError } from './local-host-error.ts';

/** A state machine of which every field means here what it means on AWS. */
export interface CheckedStateMachine {
  definition: StateMachineDefinition;
  /** The task states and the function that each invokes, by name or ARN. */
  tasks: Map<string, string>;
}

/**
 * Checks a definition whose substitutions are made.
 * @throws LocalHostError that names the state and the field that is not known to the local host
 */
export function checkStateMachine(logicalId: string, text: string): CheckedStateMachine {
  const definition: StateMachineDefinition = JSON.parse(text);
  const read = readFlow(definition);
  if ('faults' in read) {
    const [{ place = '', allowed } = {}] = read.faults;
    const fault =
      allowed === undefined
        ? `${place} is not known to the local host`
        : `${place}: the local host does not know this value (allowed: ${allowed})`;
    throw new LocalHostError(`${logicalId}: ${fault}`);
  }
  return { definition, tasks: read.flow.tasks };
}
