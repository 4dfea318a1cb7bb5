/**
 * The function of the flow's state RecordFailure.
 */
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { recordFailureTask } from '../tasks/record-failure.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { recordFailureEnvironment } from './environments/record-failure.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(recordFailureEnvironment);

export const handler = inInvocation(
  recordFailureTask({
    ...runtime,
    requests: requestsTable(dynamoDbClient(), environment.REQUESTS_TABLE),
  }),
);
