/**
 * What stops synth in a flow's file: a substitution, a state, a function or a field that there is
 * not.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAIN_FLOW, readFlowDefinitions } from '../../../lib/flows/flow-definitions.ts';

const shipped = fileURLToPath(new URL('../../../statemachines', import.meta.url));

const substitutions = {
  functions: ['locateUserFunction', 'mailFunction', 'recordFailureFunction'],
  templates: ['cibaWithBindingMessageTemplate', 'cibaWithoutBindingMessageTemplate'],
};
const listed =
  '${locateUserFunction}, ${mailFunction}, ${recordFailureFunction}, ${cibaWithBindingMessageTemplate}, ${cibaWithoutBindingMessageTemplate}';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flow-definitions-'));
  cpSync(shipped, directory, { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

const source = readFileSync(join(shipped, `${MAIN_FLOW}.asl.json`), 'utf8');
const write = (name: string, text: string) =>
  writeFileSync(join(directory, `${name}.asl.json`), text);

function faults(): string[] {
  try {
    readFlowDefinitions(substitutions, directory);
  } catch (error) {
    const start = `${basename(directory)}/`;
    return String(error)
      .split('\n')
      .slice(1)
      .map((line) => line.slice(line.indexOf(start) + start.length));
  }
  return [];
}

function sizeOfAll(): number {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.asl.json'))
    .reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
}

describe('readFlowDefinitions', () => {
  it('takes the files of statemachines, each under its name and with the substitutions that it uses', () => {
    expect(readFlowDefinitions(substitutions)).toEqual([
      {
        name: 'ciba-flow',
        text: source,
        substitutions: [
          'locateUserFunction',
          'mailFunction',
          'cibaWithBindingMessageTemplate',
          'cibaWithoutBindingMessageTemplate',
          'recordFailureFunction',
        ],
      },
      expect.objectContaining({
        name: 'ciba-generic-mail-flow',
        substitutions: [
          'locateUserFunction',
          'mailFunction',
          'cibaWithoutBindingMessageTemplate',
          'recordFailureFunction',
        ],
      }),
    ]);
  });

  it('takes every other file of the folder for a flow that is named *.asl.json, and no other file', () => {
    write('night-flow', source);
    writeFileSync(join(directory, 'notes.json'), '{}');
    const names = readFlowDefinitions(substitutions, directory).map(({ name }) => name);
    expect(names).toEqual(['ciba-flow', 'ciba-generic-mail-flow', 'night-flow']);
  });

  const line = (text: string, part: string) => text.slice(0, text.indexOf(part)).split('\n').length;

  it.each<[what: string, change: (text: string) => string, fault: string]>([
    [
      'a template that there is not',
      (text) => text.replace('${cibaWithBindingMessageTemplate}', '${nightTemplate}'),
      `x-flow.asl.json:${line(source, '${cibaWithBindingMessageTemplate}')}: unknown substitution \${nightTemplate}; allowed: ${listed}`,
    ],
    [
      'a function that there is not',
      (text) => text.replace('${recordFailureFunction}', '${recordFunction}'),
      `x-flow.asl.json:${line(source, '${recordFailureFunction}')}: unknown substitution \${recordFunction}; allowed: ${listed}`,
    ],
    [
      'a substitution inside of a text',
      (text) => text.replace('"${mailFunction}"', '"${mailFunction}:live"'),
      `x-flow.asl.json:${line(source, '${mailFunction}')}: \${ within a text; allowed: "\${name}", alone`,
    ],
    [
      'a function by its own name',
      (text) => text.replace('"${locateUserFunction}"', '"locate-user"'),
      'x-flow.asl.json: LocateUser invokes locate-user, which is no function of the stack; allowed: ${locateUserFunction}, ${mailFunction}, ${recordFailureFunction}',
    ],
    [
      'a template in the place of a function',
      (text) => text.replace('"${locateUserFunction}"', '"${cibaWithBindingMessageTemplate}"'),
      'x-flow.asl.json: LocateUser invokes ${cibaWithBindingMessageTemplate}, which is no function of the stack; allowed: ${locateUserFunction}, ${mailFunction}, ${recordFailureFunction}',
    ],
    [
      'JSONata',
      (text) => text.replace('"StartAt"', '"QueryLanguage": "JSONata", "StartAt"'),
      'x-flow.asl.json: QueryLanguage is not of the language of flows; statemachines/README.md says what is',
    ],
    [
      'a task that waits for a token',
      (text) => text.replace('lambda:invoke"', 'lambda:invoke.waitForTaskToken"'),
      'x-flow.asl.json: States.LocateUser.Resource has a value that is not of the language of flows; allowed: arn:aws:states:::lambda:invoke',
    ],
    [
      'a state of another type',
      (text) => text.replace('"Type": "Succeed"', '"Type": "Wait"'),
      'x-flow.asl.json: States.Done.Type has a value that is not of the language of flows; allowed: Task, Choice, Succeed, Fail',
    ],
    [
      'the context object',
      (text) => text.replace('"$.ref"', () => '"$$.Execution.Name"'),
      'x-flow.asl.json: States.LocateUser.Parameters has a value that is not of the language of flows; allowed: a path of member names',
    ],
    [
      'a text for a number',
      (text) => text.replace('"TimeoutSeconds": 300', '"TimeoutSeconds": "300"'),
      'x-flow.asl.json: TimeoutSeconds has a value that is not of the language of flows; allowed: a value of the type number',
    ],
    [
      'the way to a state that there is not',
      (text) => text.replace('"Next": "MailCheck"', '"Next": "MailChek"'),
      'x-flow.asl.json: SendEmailWithBindingMessage leads to MailChek, which is no state of the flow',
    ],
    [
      'a start that there is not',
      (text) => text.replace('"StartAt": "LocateUser"', '"StartAt": "Start"'),
      'x-flow.asl.json: StartAt leads to Start, which is no state of the flow',
    ],
    [
      'what is no JSON',
      (text) => `${text},`,
      'x-flow.asl.json: not JSON; allowed: a state machine as JSON',
    ],
  ])('refuses %s, naming the file', (_, change, fault) => {
    expect(change(source)).not.toBe(source);
    write('x-flow', change(source));
    expect(faults()).toEqual([fault]);
  });

  it.each(['Night', 'night_flow', '-night', '24-hours', 'n'.repeat(33)])(
    'refuses the name %s',
    (name) => {
      write(name, source);
      expect(faults()).toEqual([
        `${name}.asl.json: not the name of a flow; allowed: words of lower-case letters and digits, a letter first, with hyphens between them, 32 characters in all`,
      ]);
    },
  );

  it('O10: refuses flows that are too large together, and names the largest', () => {
    const spaces = (bytes: number) => source + ' '.repeat(bytes);
    write('x-flow', spaces(30_000));
    expect(faults()).toEqual([]);
    write('y-flow', spaces(60_000));
    expect(faults()).toEqual([
      `y-flow.asl.json: ${60_000 + source.length} bytes, and ${sizeOfAll()} with all flows; allowed: 100000 together`,
    ]);
  });

  it('O10: refuses the name of a state that Step Functions would not take', () => {
    const renamed = (length: number) => source.replaceAll('MailCheck', 'M'.repeat(length));
    write('x-flow', renamed(80));
    expect(faults()).toEqual([]);
    write('x-flow', renamed(81));
    expect(faults()).toEqual([
      `x-flow.asl.json: the state ${'M'.repeat(81)} has a name of 81 characters; allowed: 80`,
    ]);
  });

  it('refuses a folder without the flow that requests start', () => {
    rmSync(join(directory, 'ciba-flow.asl.json'));
    expect(faults()).toEqual([
      'ciba-flow.asl.json: missing file; it is the flow that requests start',
    ]);
  });

  it('shows all faults of all files at once', () => {
    write('x-flow', source.replaceAll('${mailFunction}', '${faxFunction}'));
    write('y-flow', '{');
    expect(faults()).toHaveLength(3);
  });

  it('names files relative to where synth runs', () => {
    expect(() => readFlowDefinitions({ functions: [], templates: [] })).toThrow(
      /^The flows are not usable:\nstatemachines\/ciba-flow\.asl\.json:10: unknown substitution/,
    );
  });
});
