/**
 * Turns the synthesized template into what the local host runs. Each resource is read against the
 * properties that are understood here; a property that is neither understood nor without meaning on
 * one machine stops the local host.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import { parseJson } from '../../parse-json.ts';
import { type CheckedStateMachine, checkStateMachine } from './check-state-machine.ts';
import type { Assembly, TemplateResource } from './read-assembly.ts';
import type { References } from './resolve-intrinsics.ts';
import { resolveIntrinsics } from './resolve-intrinsics.ts';
import { assertKnownTypes, createReferences, isCustomResource } from './resource-names.ts';

/** A bundled function. */
export interface LocalFunction {
  name: string;
  arn: string;
  /** The bundle, as a path. */
  file: string;
  /** The name of the handler in it. */
  handler: string;
  environment: Record<string, string>;
  memoryMegabytes: number;
  timeoutSeconds: number;
  /** The ARN of the queue for what it failed at to the end, if it has one. */
  deadLetterQueue: string | undefined;
}

/** A queue of SQS. */
export interface LocalQueue {
  url: string;
  arn: string;
}

/** A route of the HTTP API and the function behind it. */
export interface LocalRoute {
  /** As API Gateway writes it: `ANY /approve/{link}`. */
  key: string;
  functionArn: string;
}

const keySchema = z.array(
  z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }),
);

const tableProperties = z.strictObject({
  TableName: z.optional(z.string()),
  KeySchema: keySchema,
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: z.optional(
    z.array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY']),
          NonKeyAttributes: z.optional(z.array(z.string())),
        }),
      }),
    ),
  ),
});

/** A table with its indexes, as `CreateTable` takes it. */
export type LocalTable = z.output<typeof tableProperties> & { TableName: string };

/** A stored template of SES. */
export interface LocalMailTemplate {
  name: string;
  subject: string;
  html: string;
  text: string;
}

/** A state machine with the substitutions made. */
export interface LocalStateMachine extends CheckedStateMachine {
  name: string;
  arn: string;
}

/** A custom resource: a function to be called once the tables are there. */
export interface LocalCustomResource {
  logicalId: string;
  type: string;
  functionArn: string;
  /** As CloudFormation hands them over: every number and boolean is a text. */
  properties: Record<string, unknown>;
}

/** A rule of EventBridge that calls a function at a rate. */
export interface LocalSchedule {
  everySeconds: number;
  functionArn: string;
  /** The constant that the function gets. */
  input: unknown;
}

/** What an event must have: at each name one of these texts, or an object that fits in turn. */
export interface EventPattern {
  [name: string]: EventPattern | string[];
}

/** A rule of EventBridge that calls a function with each event that fits. */
export interface LocalEventRule {
  pattern: EventPattern;
  functionArn: string;
}

const mailEventTypes = ['bounce', 'complaint', 'reject', 'renderingFailure'] as const;

export type MailEventType = (typeof mailEventTypes)[number];

/** What SES tells the account's event bus of mails that are sent through a configuration set. */
export interface LocalMailEvents {
  configurationSet: string;
  types: MailEventType[];
}

/** All that the local host runs of a stack. */
export interface LocalStack {
  name: string;
  functions: LocalFunction[];
  queues: LocalQueue[];
  routes: LocalRoute[];
  tables: LocalTable[];
  mailTemplates: LocalMailTemplate[];
  stateMachines: LocalStateMachine[];
  customResources: LocalCustomResource[];
  schedules: LocalSchedule[];
  eventRules: LocalEventRule[];
  mailEvents: LocalMailEvents[];
  /** The stack's outputs. */
  outputs: Record<string, string>;
}

/**
 * Reads a stack whose HTTP API answers at `origin`.
 * @throws OperatorError that names the resource and what of it is not known to the local host
 */
export function readStack(assembly: Assembly, origin: string): LocalStack {
  assertKnownTypes(assembly);
  const context = { assembly, references: createReferences(assembly, origin) };
  assertPlainApi(context);
  return {
    name: assembly.stackName,
    functions: readAll(context, 'AWS::Lambda::Function', readFunction),
    queues: readAll(context, 'AWS::SQS::Queue', readQueue),
    routes: readAll(context, 'AWS::ApiGatewayV2::Route', readRoute),
    tables: readAll(context, 'AWS::DynamoDB::Table', readTable),
    mailTemplates: readAll(context, 'AWS::SES::Template', readMailTemplate),
    stateMachines: readAll(context, 'AWS::StepFunctions::StateMachine', readStateMachine),
    customResources: readCustomResources(context),
    ...readRules(context),
    mailEvents: readMailEvents(context),
    outputs: readOutputs(context),
  };
}

interface Context {
  assembly: Assembly;
  references: References;
}

/** A resource of the modelled types, with its logical id. */
interface NamedResource extends TemplateResource {
  logicalId: string;
}

function resourcesOf({ assembly }: Context, isWanted: (type: string) => boolean): NamedResource[] {
  return Object.entries(assembly.resources)
    .filter(([, { Type: type }]) => isWanted(type))
    .map(([logicalId, resource]) => {
      if (resource.Condition === undefined) return { logicalId, ...resource };
      throw new OperatorError(`${logicalId}: conditions are not known to the local host`);
    });
}

function readAll<Result>(
  context: Context,
  type: string,
  read: (context: Context, resource: NamedResource) => Result,
): Result[] {
  return resourcesOf(context, (candidate) => candidate === type).map((resource) =>
    read(context, resource),
  );
}

/**
 * The properties of a resource, resolved and parsed.
 * @param withoutMeaning properties that change nothing on one machine; they are not even resolved
 */
function readProperties<Schema extends z.ZodMiniType>(
  { references }: Context,
  { logicalId, Type: type, Properties: properties = {} }: NamedResource,
  schema: Schema,
  withoutMeaning: readonly string[],
): z.output<Schema> {
  const meant = Object.entries(properties).filter(([name]) => !withoutMeaning.includes(name));
  const resolved = resolveIntrinsics(Object.fromEntries(meant), references, logicalId);
  const parsed = schema.safeParse(resolved);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  const fault =
    issue?.code === 'unrecognized_keys'
      ? `property ${[path, issue.keys[0]].filter(Boolean).join('.')} is not known to the local host`
      : `property ${path}: the local host does not know this value (${issue?.message})`;
  throw new OperatorError(`${logicalId} (${type}): ${fault}`);
}

const functionProperties = z.strictObject({
  Code: z.strictObject({ S3Key: z.string(), S3Bucket: z.unknown() }),
  Handler: z.string(),
  Runtime: z.string().check(z.regex(/^nodejs/)),
  FunctionName: z.optional(z.string()),
  Environment: z.optional(z.strictObject({ Variables: z.record(z.string(), z.string()) })),
  MemorySize: z._default(z.number(), 128),
  Timeout: z._default(z.number(), 3),
  DeadLetterConfig: z.optional(z.strictObject({ TargetArn: z.string() })),
});

function readFunction(context: Context, resource: NamedResource): LocalFunction {
  const { logicalId } = resource;
  const properties = readProperties(context, resource, functionProperties, [
    'Architectures',
    'Description',
    'LoggingConfig',
    'ReservedConcurrentExecutions',
    'Role',
    'Tags',
    'TracingConfig',
  ]);
  const [module = '', handler = ''] = properties.Handler.split('.');
  return {
    name: properties.FunctionName ?? `${context.assembly.stackName}-${logicalId}`,
    arn: context.references.attribute(logicalId, 'Arn'),
    file: findBundle(context.assembly, logicalId, properties.Code.S3Key, module),
    handler,
    environment: properties.Environment?.Variables ?? {},
    memoryMegabytes: properties.MemorySize,
    timeoutSeconds: properties.Timeout,
    deadLetterQueue: properties.DeadLetterConfig?.TargetArn,
  };
}

const queueProperties = z.strictObject({ QueueName: z.optional(z.string()) });

/** In memory, so that nothing is kept too long and nothing is encrypted. */
function readQueue(context: Context, resource: NamedResource): LocalQueue {
  readProperties(context, resource, queueProperties, [
    'MessageRetentionPeriod',
    'SqsManagedSseEnabled',
    'Tags',
  ]);
  const { ref, attribute } = context.references;
  return { url: String(ref(resource.logicalId)), arn: attribute(resource.logicalId, 'Arn') };
}

function findBundle(
  assembly: Assembly,
  logicalId: string,
  objectKey: string,
  module: string,
): string {
  const folder = assembly.assetFolders[objectKey];
  if (folder === undefined)
    throw new OperatorError(`${logicalId}: no asset ${objectKey} in the assembly`);
  const file = ['.mjs', '.js', '.cjs']
    .map((extension) => join(folder, `${module}${extension}`))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new OperatorError(
      `${logicalId}: no ${module}.mjs, .js or .cjs in ${folder}: was the stack bundled?`,
    );
  }
  return file;
}

const apiProperties = z.strictObject({ Name: z.string(), ProtocolType: z.literal('HTTP') });

const stageProperties = z.strictObject({
  ApiId: z.string(),
  StageName: z.literal('$default'),
  AutoDeploy: z.literal(true),
});

/** One HTTP API with its default stage; throttles and access logs mean nothing here. */
function assertPlainApi(context: Context): void {
  const apis = resourcesOf(context, (type) => type === 'AWS::ApiGatewayV2::Api');
  if (apis.length !== 1) {
    throw new OperatorError(`${apis.length} HTTP APIs in the stack; the local host runs one`);
  }
  for (const api of apis) readProperties(context, api, apiProperties, ['Description', 'Tags']);
  for (const stage of resourcesOf(context, (type) => type === 'AWS::ApiGatewayV2::Stage')) {
    readProperties(context, stage, stageProperties, [
      'AccessLogSettings',
      'DefaultRouteSettings',
      'RouteSettings',
      'Tags',
    ]);
  }
}

const routeProperties = z.strictObject({
  ApiId: z.string(),
  RouteKey: z.string().check(z.regex(/^[A-Z]+ \/(?:[^{}]|\{\w+\})*(?:\{\w+\+\})?$/)),
  Target: z.string(),
  AuthorizationType: z.optional(z.literal('NONE')),
});

const integrationProperties = z.strictObject({
  ApiId: z.string(),
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
});

function readRoute(context: Context, resource: NamedResource): LocalRoute {
  const { RouteKey: key, Target: target } = readProperties(context, resource, routeProperties, []);
  const integration = resourcesOf(
    context,
    (type) => type === 'AWS::ApiGatewayV2::Integration',
  ).find(({ logicalId }) => target === `integrations/${context.references.ref(logicalId)}`);
  if (integration === undefined) {
    throw new OperatorError(
      `${resource.logicalId}: its target ${target} is no integration of the stack`,
    );
  }
  const { IntegrationUri: uri } = readProperties(context, integration, integrationProperties, []);
  return { key, functionArn: uri };
}

function readTable(context: Context, resource: NamedResource): LocalTable {
  const properties = readProperties(context, resource, tableProperties, [
    'ContributorInsightsSpecification',
    'DeletionProtectionEnabled',
    'PointInTimeRecoverySpecification',
    'SSESpecification',
    'Tags',
    'TimeToLiveSpecification',
  ]);
  const name = context.references.ref(resource.logicalId) ?? resource.logicalId;
  return { ...properties, TableName: name };
}

const mailTemplateProperties = z.strictObject({
  Template: z.strictObject({
    TemplateName: z.string(),
    SubjectPart: z.string(),
    HtmlPart: z.string(),
    TextPart: z.string(),
  }),
});

function readMailTemplate(context: Context, resource: NamedResource): LocalMailTemplate {
  const { Template: template } = readProperties(context, resource, mailTemplateProperties, [
    'Tags',
  ]);
  return {
    name: template.TemplateName,
    subject: template.SubjectPart,
    html: template.HtmlPart,
    text: template.TextPart,
  };
}

const stateMachineProperties = z.strictObject({
  StateMachineName: z.optional(z.string()),
  StateMachineType: z.literal('EXPRESS'),
  DefinitionString: z.string(),
  DefinitionSubstitutions: z._default(z.record(z.string(), z.string()), {}),
});

function readStateMachine(context: Context, resource: NamedResource): LocalStateMachine {
  const { logicalId } = resource;
  const properties = readProperties(context, resource, stateMachineProperties, [
    'EncryptionConfiguration',
    'LoggingConfiguration',
    'RoleArn',
    'Tags',
    'TracingConfiguration',
  ]);
  const text = properties.DefinitionString.replace(/\$\{(\w+)\}/g, (found, name: string) => {
    const value = properties.DefinitionSubstitutions[name];
    if (value === undefined)
      throw new OperatorError(`${logicalId}: nothing to put in place of ${found}`);
    return value;
  });
  return {
    name: context.references.attribute(logicalId, 'Name'),
    arn: context.references.attribute(logicalId, 'Arn'),
    ...checkStateMachine(logicalId, text),
  };
}

const customResourceProperties = z.looseObject({ ServiceToken: z.string() });

function readCustomResources(context: Context): LocalCustomResource[] {
  return resourcesOf(context, isCustomResource).map((resource) => {
    const { logicalId, Type: type } = resource;
    const properties = readProperties(context, resource, customResourceProperties, []);
    return {
      logicalId,
      type,
      functionArn: properties.ServiceToken,
      properties: stringify(properties),
    };
  });
}

function stringify(properties: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(properties), (_, value: unknown) =>
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
  );
}

/** EventBridge wants the unit in the singular for one of it, and in the plural otherwise. */
const rateExpression =
  /^rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d{0,4} (?:minutes|hours|days))\)$/;

const json = z.pipe(
  z.string(),
  z.transform((text, context): unknown => {
    const value = parseJson(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: 'not JSON', input: text });
    return z.NEVER;
  }),
);

const functionTarget = {
  Arn: z.string(),
  Id: z.string(),
  // For what cannot be delivered, which never happens on one machine.
  DeadLetterConfig: z.optional(z.strictObject({ Arn: z.string() })),
};

const scheduleProperties = z.strictObject({
  Name: z.optional(z.string()),
  ScheduleExpression: z.string().check(z.regex(rateExpression)),
  State: z.optional(z.literal('ENABLED')),
  Targets: z.tuple([z.strictObject({ ...functionTarget, Input: json })]),
});

const eventPattern: z.ZodMiniType<EventPattern> = z.record(
  z.string(),
  z.union([z.array(z.string()), z.lazy(() => eventPattern)]),
);

/** Without an input of its own, a target gets the event as it is. */
const eventRuleProperties = z.strictObject({
  Name: z.optional(z.string()),
  EventPattern: eventPattern,
  State: z.optional(z.literal('ENABLED')),
  Targets: z.tuple([z.strictObject(functionTarget)]),
});

const ruleWithoutMeaning = ['Description', 'Tags'];

/** A rule waits for events or for its time; one that does both is known as neither. */
function readRules(context: Context): Pick<LocalStack, 'schedules' | 'eventRules'> {
  const rules = resourcesOf(context, (type) => type === 'AWS::Events::Rule');
  const waitsForEvents = ({ Properties }: NamedResource) => 'EventPattern' in (Properties ?? {});
  return {
    schedules: rules
      .filter((rule) => !waitsForEvents(rule))
      .map((rule) => readSchedule(context, rule)),
    eventRules: rules.filter(waitsForEvents).map((rule) => readEventRule(context, rule)),
  };
}

function readSchedule(context: Context, resource: NamedResource): LocalSchedule {
  const {
    ScheduleExpression: expression,
    Targets: [target],
  } = readProperties(context, resource, scheduleProperties, ruleWithoutMeaning);
  assertFunction(context, resource, target.Arn);
  return {
    everySeconds: readRate(expression),
    functionArn: target.Arn,
    input: target.Input,
  };
}

function readEventRule(context: Context, resource: NamedResource): LocalEventRule {
  const {
    EventPattern: pattern,
    Targets: [target],
  } = readProperties(context, resource, eventRuleProperties, ruleWithoutMeaning);
  assertFunction(context, resource, target.Arn);
  return { pattern, functionArn: target.Arn };
}

/** @throws OperatorError if the rule calls anything else */
function assertFunction(context: Context, { logicalId }: NamedResource, arn: string): void {
  const isFunction = resourcesOf(context, (type) => type === 'AWS::Lambda::Function').some(
    (lambda) => context.references.attribute(lambda.logicalId, 'Arn') === arn,
  );
  if (isFunction) return;
  throw new OperatorError(`${logicalId}: its target ${arn} is no function of the stack`);
}

const eventDestinationProperties = z.strictObject({
  ConfigurationSetName: z.string(),
  EventDestination: z.strictObject({
    Name: z.optional(z.string()),
    Enabled: z.literal(true),
    MatchingEventTypes: z.array(z.enum(mailEventTypes)),
    // Metrics mean nothing on one machine.
    CloudWatchDestination: z.optional(z.unknown()),
    EventBridgeDestination: z.optional(
      z.strictObject({ EventBusArn: z.string().check(z.regex(/:event-bus\/default$/)) }),
    ),
  }),
});

function readMailEvents(context: Context): LocalMailEvents[] {
  return readAll(context, 'AWS::SES::ConfigurationSetEventDestination', (_, resource) =>
    readProperties(context, resource, eventDestinationProperties, []),
  )
    .filter(({ EventDestination }) => EventDestination.EventBridgeDestination !== undefined)
    .map(({ ConfigurationSetName, EventDestination }) => ({
      configurationSet: ConfigurationSetName,
      types: EventDestination.MatchingEventTypes,
    }));
}

function readRate(expression: string): number {
  const count = Number.parseInt(expression.slice('rate('.length), 10);
  if (expression.includes('day')) return count * 86_400;
  return expression.includes('hour') ? count * 3600 : count * 60;
}

function readOutputs({ assembly, references }: Context): Record<string, string> {
  return Object.fromEntries(
    Object.entries(assembly.outputs).map(([name, { Value: value }]) => [
      name,
      String(resolveIntrinsics(value, references, `Outputs.${name}`)),
    ]),
  );
}
