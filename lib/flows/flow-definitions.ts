/**
 * Reads the flows, the `*.asl.json` files of `statemachines`, as the stack is synthesized, and
 * checks what CloudFormation and Step Functions would only find out later: substitutions that the
 * stack does not have, states that do not exist, and whatever is not of the language of flows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { FLOW_NAME_RULE, isFlowName } from '../../lambdas/ciba/policy/flow-policy.ts';
import { decodeText, tellUndecoded } from '../decode-text.ts';
import { parseJson } from '../parse-json.ts';
import { type FlowOutline, readFlow } from './flow-language.ts';

/** The flow that requests start; its file is there in every deployment. */
export const MAIN_FLOW = 'ciba-flow';

/** A flow as the template holds it. */
export interface FlowDefinition {
  /** The file's name without `.asl.json`. */
  name: string;
  /** The definition, its substitutions not made. */
  text: string;
  /** The names of its substitutions, each once. */
  substitutions: string[];
}

/** The substitutions that a flow may use, written `"${name}"`. */
export interface Substitutions {
  /** Each stands for the ARN of a function that a task can invoke. */
  functions: string[];
  /** Each stands for the name of a mail template. */
  templates: string[];
}

/**
 * Of a flow Step Functions takes a megabyte, but CloudFormation takes one of the template, which
 * holds all of them and the mails.
 */
const FLOWS_BYTES = 100_000;

/** The longest name of a state that Step Functions takes. */
const STATE_NAME_LENGTH = 80;

const EXTENSION = '.asl.json';

/** Every `${` of a definition, with the name behind it where it is a whole string of its own. */
const substitutionPattern = /"\$\{(\w+)\}"|\$\{/g;

/**
 * The flows of a folder, in the order of their names.
 * @default the folder `statemachines`
 * @throws an error whose message has a line, `file: fault; what is allowed`, for every fault of
 * every flow
 */
export function readFlowDefinitions(
  allowed: Substitutions,
  directory = join(import.meta.dirname, '../../statemachines'),
): FlowDefinition[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(EXTENSION))
    .sort();
  const flows = files.map((file) => readDefinition(directory, file));
  const faults = flows.flatMap(({ file, name, text, fault }) =>
    fault === undefined ? findFaults(file, name, text, allowed) : [fault],
  );
  faults.push(...findExcess(flows));
  if (!flows.some(({ name }) => name === MAIN_FLOW)) {
    const file = nameFile(join(directory, MAIN_FLOW + EXTENSION));
    faults.push(`${file}: missing file; it is the flow that requests start`);
  }
  if (faults.length > 0) throw new Error(`The flows are not usable:\n${faults.join('\n')}`);
  return flows.map(({ name, text }) => ({ name, text, substitutions: substitutionsOf(text) }));
}

function readDefinition(directory: string, file: string) {
  const path = join(directory, file);
  const flow = { file: nameFile(path), name: basename(file, EXTENSION) };
  const decoded = decodeText(readFileSync(path));
  if ('text' in decoded) return { ...flow, text: decoded.text, fault: undefined };
  return { ...flow, text: '', fault: tellUndecoded(flow.file, decoded) };
}

function substitutionsOf(text: string): string[] {
  const names = Array.from(text.matchAll(substitutionPattern), ([, name = '']) => name);
  return [...new Set(names)];
}

function findFaults(file: string, name: string, text: string, allowed: Substitutions): string[] {
  return [
    ...findNameFault(file, name),
    ...findForeignSubstitutions(file, text, allowed),
    ...findFlowFaults(file, text, allowed),
  ];
}

function findNameFault(file: string, name: string): string[] {
  if (isFlowName(name)) return [];
  return [`${file}: not the name of a flow; allowed: ${FLOW_NAME_RULE}`];
}

/** The largest is named, as the one to be shortened. */
function findExcess(flows: { file: string; text: string }[]): string[] {
  const sizes = flows
    .map(({ file, text }) => ({ file, bytes: Buffer.byteLength(text) }))
    .sort((one, other) => other.bytes - one.bytes);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= FLOWS_BYTES) return [];
  return [
    `${sizes[0]?.file}: ${sizes[0]?.bytes} bytes, and ${total} with all flows; allowed: ${FLOWS_BYTES} together`,
  ];
}

function findForeignSubstitutions(
  file: string,
  text: string,
  { functions, templates }: Substitutions,
): string[] {
  const known = [...functions, ...templates];
  return Array.from(text.matchAll(substitutionPattern))
    .filter(([, name]) => name === undefined || !known.includes(name))
    .map(({ 1: name, index }) => {
      const where = `${file}:${text.slice(0, index).split('\n').length}`;
      if (name === undefined) return `${where}: \${ within a text; allowed: "\${name}", alone`;
      return `${where}: unknown substitution \${${name}}; allowed: ${listSubstitutions(known)}`;
    });
}

function findFlowFaults(file: string, text: string, allowed: Substitutions): string[] {
  const definition = parseJson(text);
  if (definition === undefined) return [`${file}: not JSON; allowed: a state machine as JSON`];
  const read = readFlow(definition);
  if ('flow' in read) {
    return [
      ...findLongNames(file, read.flow),
      ...findLostStates(file, read.flow),
      ...findForeignFunctions(file, read.flow, allowed),
    ];
  }
  return read.faults.map((fault) =>
    fault.allowed === undefined
      ? `${file}: ${fault.place} is not of the language of flows; statemachines/README.md says what is`
      : `${file}: ${fault.place} has a value that is not of the language of flows; allowed: ${fault.allowed}`,
  );
}

function findLongNames(file: string, { states }: FlowOutline): string[] {
  return [...states]
    .filter((name) => name.length > STATE_NAME_LENGTH)
    .map(
      (name) =>
        `${file}: the state ${name} has a name of ${name.length} characters; allowed: ${STATE_NAME_LENGTH}`,
    );
}

function findLostStates(file: string, { states, steps }: FlowOutline): string[] {
  return steps
    .filter(({ to }) => !states.has(to))
    .map(({ from, to }) => `${file}: ${from} leads to ${to}, which is no state of the flow`);
}

/**
 * The stack allows a flow to invoke the functions that it knows. Unknown and partial substitutions
 * are faults already.
 */
function findForeignFunctions(
  file: string,
  { tasks }: FlowOutline,
  { functions, templates }: Substitutions,
): string[] {
  return Array.from(tasks)
    .filter(([, invoked]) => {
      const [, name] = /^\$\{(\w+)\}$/.exec(invoked) ?? [];
      return name === undefined ? !invoked.includes('${') : templates.includes(name);
    })
    .map(
      ([state, invoked]) =>
        `${file}: ${state} invokes ${invoked}, which is no function of the stack; allowed: ${listSubstitutions(functions)}`,
    );
}

function listSubstitutions(names: readonly string[]): string {
  return names.map((name) => `\${${name}}`).join(', ');
}

function nameFile(path: string): string {
  return relative(process.cwd(), path);
}
