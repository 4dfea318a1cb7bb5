/**
 * What the calls of services need a right for, as AWS's service authorization reference has it, and
 * whether a right is one.
 */
import * as z from 'zod';
import type { LocalTable } from '../../lib/local/template/read-stack.ts';
import { localArn } from '../../lib/local/template/resource-names.ts';
import type { ServiceCall } from './recorded-calls.ts';
import type { Right } from './template-rights.ts';

/** What a call needs a right for. */
export interface Need extends Right {
  /** The function or state machine that calls. */
  caller: string;
}

const itemKey = z.record(z.string(), z.object({ S: z.string() }));
const itemCall = z.object({
  TableName: z.string(),
  Key: itemKey.default({}),
  Item: z.record(z.string(), z.unknown()).default({}),
  // Every expression of ours names its attributes by placeholders, so that none is missing here.
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ReturnValues: z.string().optional(),
});
/** Of one item, or of many: a batch asks for its right once for each item. */
const dynamoDbInput = z.union([
  z
    .object({ RequestItems: z.record(z.string(), z.object({ Keys: z.array(itemKey) })) })
    .transform(({ RequestItems }) =>
      Object.entries(RequestItems).flatMap(([TableName, { Keys }]) =>
        Keys.map((Key) => itemCall.parse({ TableName, Key })),
      ),
    ),
  itemCall.transform((call) => [call]),
]);
const sendEmailInput = z.object({
  FromEmailAddress: z.string(),
  ConfigurationSetName: z.string(),
  Content: z.object({ Template: z.object({ TemplateName: z.string() }) }),
});
const startExecutionInput = z.object({ stateMachineArn: z.string() });
const text = z.object({ S: z.string() });

/** Of a call that has nothing which a condition of ours asks about. */
export const unconditional = {
  leadingKey: undefined,
  fromAddress: undefined,
  attributes: undefined,
  returnValues: undefined,
} satisfies Partial<Right>;

/**
 * What IAM asks a right for when this call is made.
 * @throws for a call of any other service: what it needs a right for has to be said here first
 */
export function needsOf(
  { functionName, action, input }: ServiceCall,
  tables: LocalTable[],
): Need[] {
  const need = { ...unconditional, caller: functionName, action };
  if (action.startsWith('dynamodb:')) {
    return dynamoDbInput.parse(input).map((call) => {
      const table = tables.find(({ TableName }) => TableName === call.TableName);
      const keyName = table?.KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
      const item = { ...call.Key, ...call.Item };
      return {
        ...need,
        resource: localArn('dynamodb:table/', call.TableName),
        leadingKey: text.parse(item[keyName ?? '']).S,
        attributes: [...Object.keys(item), ...Object.values(call.ExpressionAttributeNames)],
        // DynamoDB's default: whether IAM is told of it where the call does not say so is written
        // nowhere.
        returnValues: [call.ReturnValues ?? 'NONE'],
      };
    });
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
    matches(right.fromAddress, need.fromAddress) &&
    (right.attributes === undefined ||
      (need.attributes ?? []).every((attribute) => right.attributes?.includes(attribute))) &&
    (right.returnValues === undefined ||
      (need.returnValues ?? []).every((value) => right.returnValues?.includes(value)))
  );
}
