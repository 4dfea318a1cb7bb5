/**
 * What the calls of services need a right for, as AWS's service authorization reference has it, and whether a right is one.
 */
import * as z from 'zod';
import type { LocalTable } from '../../lib/local/read-stack.ts';
import { localArn } from '../../lib/local/resource-names.ts';
import type { ServiceCall } from './recorded-calls.ts';
import type { Right } from './template-rights.ts';

/** What a call needs a right for. */
export interface Need extends Right {
  /** The function or state machine that calls. */
  caller: string;
}

const dynamoDbInput = z.object({
  TableName: z.string(),
  Key: z.record(z.string(), z.object({ S: z.string() })).optional(),
  Item: z.record(z.string(), z.unknown()).optional(),
});
const sendEmailInput = z.object({
  FromEmailAddress: z.string(),
  ConfigurationSetName: z.string(),
  Content: z.object({ Template: z.object({ TemplateName: z.string() }) }),
});
const startExecutionInput = z.object({ stateMachineArn: z.string() });
const text = z.object({ S: z.string() });

/**
 * What IAM asks a right for when this call is made.
 * @throws for a call of any other service: what it needs a right for has to be said here first
 */
export function needsOf(
  { functionName, action, input }: ServiceCall,
  tables: LocalTable[],
): Need[] {
  const need = { caller: functionName, action, leadingKey: undefined, fromAddress: undefined };
  if (action.startsWith('dynamodb:')) {
    const { TableName, Key, Item } = dynamoDbInput.parse(input);
    const table = tables.find((candidate) => candidate.TableName === TableName);
    const keyName = table?.KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
    const leadingKey = text.parse((Key ?? Item)?.[keyName ?? '']).S;
    return [{ ...need, resource: localArn('dynamodb:table/', TableName), leadingKey }];
  }
  if (action === 'ses:SendEmail') {
    const mail = sendEmailInput.parse(input);
    const fromAddress = mail.FromEmailAddress;
    return [
      localArn('ses:identity/', fromAddress),
      localArn('ses:configuration-set/', mail.ConfigurationSetName),
      localArn('ses:template/', mail.Content.Template.TemplateName),
    ].flatMap((resource) =>
      // A mail that names a template needs both.
      ['ses:SendEmail', 'ses:SendTemplatedEmail'].map((asked) => ({
        ...need,
        action: asked,
        resource,
        fromAddress,
      })),
    );
  }
  if (action === 'states:StartExecution') {
    return [{ ...need, resource: startExecutionInput.parse(input).stateMachineArn }];
  }
  throw new Error(`${functionName} called ${action}`);
}

function matches(pattern: string | undefined, value: string | undefined): boolean {
  if (pattern === undefined) return true;
  // No pattern of the stack has a wildcard but at its end.
  const [start = '', ...rest] = pattern.split('*');
  return rest.length === 0 ? value === pattern : rest.join() === '' && !!value?.startsWith(start);
}

/** Whether the right is one that is needed. */
export function covers(right: Right, need: Right): boolean {
  return (
    right.action === need.action &&
    matches(right.resource, need.resource) &&
    matches(right.leadingKey, need.leadingKey) &&
    matches(right.fromAddress, need.fromAddress)
  );
}
