/**
 * A deployment as the operator's commands find it: by the name of its stack, whose outputs say
 * where everything is. Which account and region is AWS's own environment: AWS_PROFILE, AWS_REGION,
 * AWS_ENDPOINT_URL.
 */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  type DescribeStacksCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import type { StackOutput } from '../../../lambdas/aws/formats.ts';
import { notFound, OperatorError } from '../terminal/operator-error.ts';

/** The services of AWS that commands call. */
export interface AwsClients {
  cloudFormation: CloudFormationClient;
  cloudWatch: CloudWatchClient;
  dynamodb: DynamoDBClient;
  lambda: LambdaClient;
  ses: SESv2Client;
  stepFunctions: SFNClient;
}

export interface Deployment {
  stackName: string;
  /** As CloudFormation has it: `UPDATE_COMPLETE`. */
  status: string;
  region: string;
  /** All of the stack's outputs. */
  outputs: Readonly<Record<string, string>>;
  clients: AwsClients;
  /**
   * One output.
   * @throws OperatorError if the stack has none of that name, as one that was deployed before the
   * output existed
   */
  output(name: StackOutput): string;
}

/** Milliseconds. */
const timeLimits = { connectionTimeout: 5000, requestTimeout: 15_000, throwOnRequestTimeout: true };

/** Clients for whatever account, region and endpoint the environment names. */
export function createClients(): AwsClients {
  const settings = { maxAttempts: 3, requestHandler: timeLimits };
  return {
    cloudFormation: new CloudFormationClient(settings),
    cloudWatch: new CloudWatchClient(settings),
    dynamodb: new DynamoDBClient(settings),
    // A call that is repeated runs twice.
    lambda: new LambdaClient({
      maxAttempts: 1,
      requestHandler: { ...timeLimits, requestTimeout: 60_000 },
    }),
    // SES looks at one template a second, and asks callers to wait.
    ses: new SESv2Client({ ...settings, maxAttempts: 6 }),
    stepFunctions: new SFNClient(settings),
  };
}

/**
 * The deployment of this stack.
 * @throws OperatorError if there is no such stack; whatever AWS or the network throws
 */
export async function findDeployment(
  stackName: string,
  clients: AwsClients = createClients(),
): Promise<Deployment> {
  const { status, outputs } = await readStack(stackName, clients);
  return {
    stackName,
    status,
    region: await clients.cloudFormation.config.region(),
    outputs,
    clients,
    output: (name) => {
      const value = outputs[name];
      if (value !== undefined) return value;
      throw new OperatorError(
        `The stack ${stackName} has no output ${name}: it was deployed by an older version; deploy again (npx cdk deploy)`,
      );
    },
  };
}

const describedStacks = z.object({
  Stacks: z.tuple([
    z.object({
      StackStatus: z.string(),
      Outputs: z
        .array(z.object({ OutputKey: z.string(), OutputValue: z.string() }))
        .default([])
        .transform((outputs) =>
          Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])),
        ),
    }),
  ]),
});

async function readStack(stackName: string, clients: AwsClients) {
  const answer = await describe(stackName, clients);
  const parsed = describedStacks.safeParse(answer);
  if (!parsed.success) {
    throw new OperatorError(`CloudFormation's answer about the stack ${stackName} is not one`, {
      cause: parsed.error,
    });
  }
  const [{ StackStatus: status, Outputs: outputs }] = parsed.data.Stacks;
  return { status, outputs };
}

async function describe(
  stackName: string,
  clients: AwsClients,
): Promise<DescribeStacksCommandOutput> {
  const { cloudFormation } = clients;
  try {
    return await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName }));
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) {
      throw await noStack(stackName, clients, error);
    }
    throw error;
  }
}

async function noStack(
  stackName: string,
  { cloudFormation }: AwsClients,
  cause: Error,
): Promise<OperatorError> {
  const region = await cloudFormation.config.region();
  // Only some kinds of credentials know whose they are.
  const { accountId } = await cloudFormation.config.credentials();
  const account = accountId === undefined ? '' : ` of account ${accountId}`;
  return notFound(
    `No stack ${stackName} in ${region}${account}: --stack names another; AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL say where it is`,
    cause,
  );
}
