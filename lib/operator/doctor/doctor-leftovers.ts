/**
 * Whether tables of an earlier deployment are left: what holds data outlives a rollback and
 * `cdk destroy`, belongs to no stack then, and costs money that nobody sees.
 */
import {
  DescribeTableCommand,
  type DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { constructIds } from '../../../lambdas/aws/formats.ts';
import { listStackResources } from '../deployment/list-stack-resources.ts';
import type { Check } from './check.ts';

export const checkLeftovers: Check = async ({ deployment }) => {
  const { clients, stackName } = deployment;
  const named = (await listTables(clients.dynamodb)).filter((name) => isTableOf(stackName, name));
  const resources = await listStackResources(clients.cloudFormation, stackName);
  const owned = new Set(resources.map(({ PhysicalResourceId: id }) => id));
  const left = named.filter((name) => !owned.has(name));
  if (left.length === 0) {
    return [{ verdict: 'ok', message: 'no table of an earlier deployment is left' }];
  }
  const keys = await Promise.all(left.map((name) => findKey(clients.dynamodb, name)));
  const encrypted = keys.filter((key) => key !== undefined);
  return [
    {
      verdict: 'warning',
      message: `of an earlier deployment, and of no stack: ${[...left, ...encrypted].join(', ')}`,
      mend: 'keep what you need; README, “Deploy”, has the commands that delete tables and, last, the key',
    },
  ];
};

const { tables, requests, directory, keys } = constructIds;
const tableNamePattern = new RegExp(
  `^[A-Za-z0-9]*${tables}(?:${requests}|${directory}|${keys})[0-9A-F]{8}-[A-Z0-9]+$`,
);

/**
 * CloudFormation names a table after its stack, its logical id, which has the same end in every
 * deployment, and chance.
 */
function isTableOf(stackName: string, name: string): boolean {
  const rest = name.startsWith(`${stackName}-`) ? name.slice(stackName.length + 1) : '';
  return tableNamePattern.test(rest);
}

async function listTables(dynamodb: DynamoDBClient): Promise<string[]> {
  const found: string[] = [];
  let last: string | undefined;
  do {
    const page = await dynamodb.send(
      new ListTablesCommand(last === undefined ? {} : { ExclusiveStartTableName: last }),
    );
    found.push(...(page.TableNames ?? []));
    last = page.LastEvaluatedTableName;
  } while (last !== undefined);
  return found;
}

/** The ARN of the customer's key that the table is encrypted with, if it is. */
async function findKey(dynamodb: DynamoDBClient, TableName: string): Promise<string | undefined> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  return Table?.SSEDescription?.KMSMasterKeyArn;
}
