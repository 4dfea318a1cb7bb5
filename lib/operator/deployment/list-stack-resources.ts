/** What belongs to a stack, as CloudFormation has it. */
import {
  type CloudFormationClient,
  ListStackResourcesCommand,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';

/** All resources of the stack, page by page. */
export async function listStackResources(
  cloudFormation: CloudFormationClient,
  stackName: string,
): Promise<StackResourceSummary[]> {
  const found: StackResourceSummary[] = [];
  let nextToken: string | undefined;
  do {
    const page = await cloudFormation.send(
      new ListStackResourcesCommand({
        StackName: stackName,
        ...(nextToken !== undefined && { NextToken: nextToken }),
      }),
    );
    found.push(...(page.StackResourceSummaries ?? []));
    nextToken = page.NextToken;
  } while (nextToken !== undefined);
  return found;
}
