/**
 * Which resource types the local host knows, and what `Ref` and `Fn::GetAtt` of them are on this
 * machine. A type that is in neither list stops the local host: then a new resource cannot be
 * forgotten here.
 */
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import type { Assembly, TemplateResource } from './read-assembly.ts';
import { type References, resolveIntrinsics } from './resolve-intrinsics.ts';

/**
 * The account and region of the local host, as they stand in ARNs and in the environment of
 * functions.
 */
export const localAccount = { id: '000000000000', region: 'us-east-1' } as const;

interface ResourceType {
  /**
   * Path of the property that names the resource; without it the name is made of stack and logical
   * id.
   */
  nameProperty?: string;
  /** The service and the prefix of the name in the resource's ARN. */
  arn?: string;
  /** Whether `Ref` is the ARN and not the name. */
  refIsArn?: true;
  /** Whether `Ref` is the address of the resource on AWS. */
  refIsUrl?: true;
}

/** Types that run here. */
const modelledTypes: Record<string, ResourceType> = {
  'AWS::ApiGatewayV2::Api': {},
  'AWS::ApiGatewayV2::Integration': {},
  'AWS::ApiGatewayV2::Route': {},
  'AWS::ApiGatewayV2::Stage': { nameProperty: 'StageName' },
  'AWS::DynamoDB::Table': { nameProperty: 'TableName', arn: 'dynamodb:table/' },
  'AWS::Events::Rule': { nameProperty: 'Name', arn: 'events:rule/' },
  'AWS::Lambda::Function': { nameProperty: 'FunctionName', arn: 'lambda:function:' },
  'AWS::SES::ConfigurationSetEventDestination': {},
  'AWS::SES::Template': { nameProperty: 'Template.TemplateName' },
  'AWS::SQS::Queue': { nameProperty: 'QueueName', arn: 'sqs:', refIsUrl: true },
  'AWS::StepFunctions::StateMachine': {
    nameProperty: 'StateMachineName',
    arn: 'states:stateMachine:',
    refIsArn: true,
  },
};

/**
 * Types that mean nothing on one machine: rights, keys at rest, logs, alarms, and what belongs to a
 * mail domain.
 */
const cloudTypes: Record<string, ResourceType> = {
  'AWS::CDK::Metadata': {},
  'AWS::CloudWatch::Alarm': { nameProperty: 'AlarmName', arn: 'cloudwatch:alarm:' },
  'AWS::IAM::Policy': {},
  'AWS::IAM::Role': { nameProperty: 'RoleName', arn: 'iam:role/' },
  'AWS::KMS::Alias': { nameProperty: 'AliasName' },
  'AWS::KMS::Key': { arn: 'kms:key/' },
  'AWS::Lambda::Permission': {},
  'AWS::Logs::LogGroup': { nameProperty: 'LogGroupName', arn: 'logs:log-group:' },
  'AWS::Logs::MetricFilter': { nameProperty: 'FilterName' },
  'AWS::SES::ConfigurationSet': { nameProperty: 'Name' },
  'AWS::SQS::QueuePolicy': {},
  'AWS::SES::EmailIdentity': { nameProperty: 'EmailIdentity' },
};

/** Whether a resource is a custom one: a function of the stack that runs when the stack is made. */
export function isCustomResource(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';
}

/** @throws OperatorError for a resource whose type the local host does not know */
export function assertKnownTypes(assembly: Assembly): void {
  for (const [logicalId, { Type: type }] of Object.entries(assembly.resources)) {
    if (typeOf(type) === undefined) {
      throw new OperatorError(`${logicalId}: resource type ${type} is not known to the local host`);
    }
  }
}

/**
 * The ARN of something on this machine. @param kind the service and the prefix of the name, as
 * `dynamodb:table/`
 */
export function localArn(kind: string, name: string): string {
  const colon = kind.indexOf(':');
  const place = `${localAccount.region}:${localAccount.id}`;
  return `arn:aws:${kind.slice(0, colon)}:${place}:${kind.slice(colon + 1)}${name}`;
}

/** As the SDK has it to do with; whoever sets AWS_ENDPOINT_URL calls that all the same. */
function queueUrl(name: string): string {
  return `https://sqs.${localAccount.region}.amazonaws.com/${localAccount.id}/${name}`;
}

/**
 * What the names of an assembly stand for here. @param origin of the HTTP API, which is its
 * `ApiEndpoint`
 */
export function createReferences(assembly: Assembly, origin: string): References {
  const references: References = {
    ref(name) {
      if (name === 'AWS::NoValue') return undefined;
      const pseudoParameter = pseudoParameters(assembly.stackName)[name];
      if (pseudoParameter !== undefined) return pseudoParameter;
      const { resource, type } = find(name);
      if (type.refIsArn) return arnOf(name);
      const ownName = nameOf(assembly, name, resource, references);
      return type.refIsUrl ? queueUrl(ownName) : ownName;
    },
    attribute(logicalId, attribute) {
      const { resource, type } = find(logicalId);
      if (attribute === 'Arn' && type.arn !== undefined) return arnOf(logicalId);
      if (attribute === 'Name' && type.refIsArn)
        return nameOf(assembly, logicalId, resource, references);
      if (attribute === 'ApiEndpoint' && resource.Type === 'AWS::ApiGatewayV2::Api') return origin;
      if (attribute === 'ApiId' && resource.Type === 'AWS::ApiGatewayV2::Api') {
        return nameOf(assembly, logicalId, resource, references);
      }
      throw new OperatorError(
        `Fn::GetAtt ${logicalId}.${attribute}: no such attribute of ${resource.Type} is known to the local host`,
      );
    },
  };

  function find(logicalId: string): { resource: TemplateResource; type: ResourceType } {
    const resource = assembly.resources[logicalId];
    const type = resource && typeOf(resource.Type);
    if (resource !== undefined && type !== undefined) return { resource, type };
    throw new OperatorError(
      `Ref ${logicalId}: no resource or parameter of this name is known to the local host`,
    );
  }

  function arnOf(logicalId: string): string {
    const { resource, type } = find(logicalId);
    return localArn(type.arn ?? 'local:', nameOf(assembly, logicalId, resource, references));
  }

  return references;
}

function typeOf(type: string): ResourceType | undefined {
  return modelledTypes[type] ?? cloudTypes[type] ?? (isCustomResource(type) ? {} : undefined);
}

function nameOf(
  assembly: Assembly,
  logicalId: string,
  resource: TemplateResource,
  references: References,
): string {
  const property = typeOf(resource.Type)?.nameProperty;
  const given = property === undefined ? undefined : readPath(resource.Properties, property);
  if (given === undefined) return `${assembly.stackName}-${logicalId}`;
  const name = resolveIntrinsics(given, references, `${logicalId}.${property}`);
  if (typeof name === 'string') return name;
  throw new OperatorError(`${logicalId}: its name is not a text`);
}

function readPath(value: unknown, path: string): unknown {
  return path.split('.').reduce(readMember, value);
}

function readMember(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function pseudoParameters(stackName: string): Record<string, string> {
  return {
    'AWS::AccountId': localAccount.id,
    'AWS::Partition': 'aws',
    'AWS::Region': localAccount.region,
    'AWS::StackId': localArn('cloudformation:stack/', `${stackName}/local`),
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
}
