/**
 * CloudFormation on this machine: `DescribeStacks` of the one stack that runs, in the Query
 * protocol.
 */

import type { LocalStack } from '../template/read-stack.ts';
import { localArn } from '../template/resource-names.ts';
import { type AwsAnswer, xmlAnswer, xmlElement, xmlError } from './aws-answer.ts';

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

/** Answers the form of a request. @param createdAt when the stack began to run */
export function describeStacks(
  form: URLSearchParams,
  stack: LocalStack,
  createdAt: Date,
): AwsAnswer {
  const action = form.get('Action');
  if (action !== 'DescribeStacks') {
    return xmlError(
      400,
      'InvalidAction',
      `The local host does not know ${action} of cloudformation; it knows DescribeStacks`,
    );
  }
  const stackId = localArn('cloudformation:stack/', `${stack.name}/local`);
  const wanted = form.get('StackName') ?? stack.name;
  if (wanted !== stack.name && wanted !== stackId) {
    return xmlError(400, 'ValidationError', `Stack with id ${wanted} does not exist`);
  }
  const outputs = Object.entries(stack.outputs).map(
    ([key, value]) =>
      `<member>${xmlElement('OutputKey', key)}${xmlElement('OutputValue', value)}</member>`,
  );
  const described = [
    xmlElement('StackName', stack.name),
    xmlElement('StackId', stackId),
    xmlElement('CreationTime', createdAt.toISOString()),
    xmlElement('StackStatus', 'CREATE_COMPLETE'),
    `<Outputs>${outputs.join('')}</Outputs>`,
  ].join('');
  return xmlAnswer(
    200,
    `<DescribeStacksResponse xmlns="${NAMESPACE}"><DescribeStacksResult><Stacks><member>${described}</member></Stacks></DescribeStacksResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></DescribeStacksResponse>`,
  );
}
