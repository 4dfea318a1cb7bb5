/**
 * The operator's command line, `ciba`: builds the program out of the command groups and runs it. It
 * ends with 0 if all was done, 1 if what was asked failed or is not so, 2 if it was asked wrongly.
 */
import { Command, CommanderError } from 'commander';
import { DEFAULT_STACK, STACK_NAME_LENGTH } from '../../lambdas/aws/formats.ts';
import type { Clock } from '../../lambdas/ports.ts';
import {
  askCount,
  askUnseen,
  askYesOrNo,
  type CommandContext,
  type Environment,
  type QuestionStreams,
  readInput,
  readStdin,
} from './command-context.ts';
import { deeds, describeDeed } from './commands/deeds.ts';
import { examples } from './commands/examples.ts';
import type { Deployment } from './deployment/deployment.ts';
import { describeError, errorJson } from './terminal/describe-error.ts';
import { usageError } from './terminal/operator-error.ts';
import { createOutput, type OutputStreams } from './terminal/output.ts';
import { reflow } from './terminal/text-layout.ts';

/** What the command line reaches of the world. */
export interface CommandLineWorld extends OutputStreams, QuestionStreams {
  findDeployment(stackName: string): Promise<Deployment>;
  clock: Clock;
  interruption(): AbortSignal;
  isUtf8: boolean;
  environment: Environment;
}

type Group = (context: CommandContext) => Command;

/**
 * The groups of commands, in the order in which help lists them. Each is loaded when it is called
 * for.
 */
const commandGroups: Record<string, () => Promise<Group>> = {
  apply: async () => (await import('./commands/apply.ts')).applyCommand,
  client: async () => (await import('./commands/client.ts')).clientCommand,
  user: async () => (await import('./commands/user.ts')).userCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  flow: async () => (await import('./commands/flow.ts')).flowCommand,
  keys: async () => (await import('./commands/keys.ts')).keysCommand,
  policy: async () => (await import('./commands/policy.ts')).policyCommand,
  smoke: async () => (await import('./commands/smoke.ts')).smokeCommand,
  template: async () => (await import('./commands/template.ts')).templateCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
};

/** The group that is called, or all of them where none is: help and faults name them. */
function loadGroups(words: readonly string[]): Promise<Group[]> {
  const called = words.find((word, at) => !word.startsWith('-') && words[at - 1] !== '--stack');
  const load =
    called !== undefined && Object.hasOwn(commandGroups, called) && commandGroups[called];
  const wanted = load ? [load] : Object.values(commandGroups);
  return Promise.all(wanted.map((group) => group()));
}

/** CloudFormation's rule for the name of a stack. */
const stackNamePattern = new RegExp(`^[A-Za-z][A-Za-z0-9-]{0,${STACK_NAME_LENGTH - 1}}$`);

interface GlobalOptions {
  stack: string;
  json?: true;
  yes?: true;
}

/**
 * Runs one command to its end and answers the exit code. Whatever happens is told on the streams.
 */
export async function runCommandLine(argv: string[], world: CommandLineWorld): Promise<number> {
  const isJson = isJsonAsked(argv);
  const program = await createProgram(world, argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return endOfUsage(error, isJson ? world : undefined);
    const described = describeError(error);
    if (isJson) printError(world, described);
    else createOutput(world, () => false).note(described.message);
    return described.exitCode;
  }
}

/** Asked before options are read, since reading them may be what fails. */
function isJsonAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}

/** The last line of stderr with `--json`. */
function printError(
  { stderr }: Pick<OutputStreams, 'stderr'>,
  described: Parameters<typeof errorJson>[0],
): void {
  stderr.write(`${JSON.stringify(errorJson(described))}\n`);
}

/** The program with the group that the words call; without words, with every group. */
export async function createProgram(
  world: CommandLineWorld,
  words: readonly string[] = [],
): Promise<Command> {
  const program = new Command('ciba')
    .description("The operator's command line of the CIBA provider")
    .usage('[options] <command>')
    .option('--stack <name>', 'name of the deployed stack', readStackName, DEFAULT_STACK)
    .option('--json', 'print JSON for programs, and nothing else, on stdout')
    .option('--yes', 'go on without asking')
    .addHelpText(
      'after',
      examples({
        'ciba keys list': 'of the stack CibaProvider in AWS_REGION',
        'ciba keys list --json | jq': 'the same for a program',
        'ciba --stack Approvals keys list': 'of another stack',
      }),
    )
    .addHelpText(
      'after',
      '\nAWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL say where the stack is. From this folder, ciba is: npm run -s ciba --',
    );
  const context = createContext(world, () => program.opts<GlobalOptions>());
  for (const group of await loadGroups(words)) program.addCommand(group(context));
  settle(program, world, isJsonAsked(words));
  return program;
}

function readStackName(name: string): string {
  if (stackNamePattern.test(name)) return name;
  throw usageError(
    `--stack: ${JSON.stringify(name)} is not allowed; allowed: a letter, then letters, digits and hyphens, 128 in all`,
  );
}

function createContext(world: CommandLineWorld, options: () => GlobalOptions): CommandContext {
  const output = createOutput(world, () => options().json === true);
  let found: Promise<Deployment> | undefined;
  return {
    output,
    clock: world.clock,
    interruption: () => world.interruption(),
    isUtf8: world.isUtf8,
    environment: world.environment,
    deployment() {
      const { stack } = options();
      found ??= output.during(`Looking for the stack ${stack}`, () => world.findDeployment(stack));
      return found;
    },
    readInput: (option) => readInput(world, option),
    readStdin: () => readStdin(world),
    askUnseen: (prompt, otherwise) => askUnseen(world, prompt, otherwise),
    async confirm(question) {
      return options().yes === true || (await askYesOrNo(world, question));
    },
    confirmCount: (question, count, option) =>
      askCount(world, question, { count, option, isYes: options().yes === true }),
  };
}

/** Every command throws instead of ending the process, and tells its faults alike. */
function settle(command: Command, world: CommandLineWorld, isJson: boolean): void {
  const deed = deeds[pathOf(command).replace(/^ciba /, '')];
  if (deed) command.addHelpText('after', `\n${describeDeed(deed)}`);
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .configureOutput({
      writeOut: (text) => void world.stdout.write(reflow(text)),
      // Help that nobody asked for is for a person.
      writeErr: (text) => void (isJson || world.stderr.write(reflow(text))),
      outputError: (text) => {
        const message = explainUsage(text, command);
        if (isJson) printError(world, { message, code: 'usage' });
        else world.stderr.write(`${message}\n`);
      },
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const inner of command.commands) settle(inner, world, isJson);
}

/** Commander's sentence without its `error:`, and with what there is. */
function explainUsage(text: string, command: Command): string {
  const sentence = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  const commands = command.commands.map((inner) => inner.name());
  const allowed = /^unknown command/.test(sentence) ? `; allowed: ${commands.join(', ')}` : '';
  return `${sentence}${allowed}; ${pathOf(command)} --help tells more`;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/**
 * Help that was asked for is an answer; help because no command was named is a wrong usage, which a
 * program is told in JSON.
 */
function endOfUsage({ code }: CommanderError, streams: OutputStreams | undefined): number {
  if (code === 'commander.helpDisplayed') return 0;
  if (code === 'commander.help' && streams) {
    printError(streams, { message: 'a command is missing; --help tells more', code: 'usage' });
  }
  return 2;
}
