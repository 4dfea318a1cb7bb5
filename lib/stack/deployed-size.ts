/**
 * How long a text of the template can become once CloudFormation has filled in what it refers to:
 * names and ARNs that nobody knows before the deployment. So synth can refuse what a service would
 * refuse only then.
 */
import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import * as z from 'zod';
import { STACK_NAME_LENGTH } from '../../lambdas/aws/formats.ts';

/** The longest of all partitions that are deployed to, and of their regions. */
const PARTITION = 'aws-us-gov';
const REGION = 'ap-southeast-1';
const ACCOUNT = '111122223333';

const pseudoParameters = new Map(
  Object.entries({
    'AWS::Partition': PARTITION,
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    'AWS::URLSuffix': 'amazonaws.com',
  }).map(([name, longest]) => [name, longest.length]),
);

/** What CloudFormation puts behind a name that it makes: a hyphen and 13 characters at most. */
const NAME_END = '-XXXXXXXXXXXXX'.length;

/** The longest name or ARN of anything, for a reference of which nothing is known. */
const UNKNOWN = 255;

const API_ADDRESS = `https://0123456789.execute-api.${REGION}.amazonaws.com`.length;

const STATE_MACHINE_ARN = `arn:${PARTITION}:states:${REGION}:${ACCOUNT}:stateMachine:`.length;

const ref = z.strictObject({ Ref: z.string() });
const attribute = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const joined = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });

/**
 * The most bytes of UTF-8 that this text has in the deployment of the construct's stack, where it
 * may hold tokens.
 */
export function mostBytes(scope: IConstruct, text: string): number {
  const stack = Stack.of(scope);
  return bytesOf(stack, stack.resolve(text));
}

function bytesOf(stack: Stack, value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  const join = joined.safeParse(value);
  if (join.success) {
    const [separator, parts] = join.data['Fn::Join'];
    const separators = Buffer.byteLength(separator) * Math.max(0, parts.length - 1);
    return parts.reduce((sum: number, part) => sum + bytesOf(stack, part), separators);
  }
  const reference = ref.safeParse(value);
  if (reference.success) return bytesOfReference(stack, reference.data.Ref);
  const got = attribute.safeParse(value);
  return got.success && got.data['Fn::GetAtt'][1] === 'ApiEndpoint' ? API_ADDRESS : UNKNOWN;
}

function bytesOfReference(stack: Stack, logicalId: string): number {
  const known = pseudoParameters.get(logicalId);
  if (known !== undefined) return known;
  const stackName = Token.isUnresolved(stack.stackName)
    ? STACK_NAME_LENGTH
    : stack.stackName.length;
  const name = Math.min(UNKNOWN, stackName + '-'.length + logicalId.length + NAME_END);
  return isStateMachine(stack, logicalId) ? STATE_MACHINE_ARN + name : name;
}

/** Of what is referred to here, it alone is known by an ARN. */
function isStateMachine(stack: Stack, logicalId: string): boolean {
  return stack.node
    .findAll()
    .some(
      (construct) =>
        CfnResource.isCfnResource(construct) &&
        construct.cfnResourceType === 'AWS::StepFunctions::StateMachine' &&
        stack.resolve(construct.logicalId) === logicalId,
    );
}
