/**
 * The function of the flow's state LocateUser.
 */
import { userDirectory } from '../aws/directory-table.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { locateUserTask } from '../tasks/locate-user.ts';
import { locateUserEnvironment } from './environments/locate-user.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(locateUserEnvironment);
const dynamo = dynamoDbClient();

export const handler = inInvocation(
  locateUserTask({
    ...runtime,
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
  }),
);
