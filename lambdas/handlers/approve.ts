/**
 * The function behind the approval page (CIBA Core 8).
 */
import { askedUsers } from '../aws/asked-users-table.ts';
import { clientDirectory, userDirectory } from '../aws/directory-table.ts';
import { linkKeys } from '../aws/keys-table.ts';
import { requestItems, requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { approveEndpoint } from '../endpoints/approve.ts';
import { approveEnvironment } from './environments/approve.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { httpFunction } from './http-function.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(approveEnvironment);
const dynamo = dynamoDbClient();

export const handler = httpFunction(
  environment.ISSUER,
  approveEndpoint({
    ...runtime,
    issuer: environment.ISSUER,
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    askedUsers: askedUsers(requestItems(dynamo, environment.REQUESTS_TABLE)),
    clients: clientDirectory(dynamo, environment.DIRECTORY_TABLE, runtime.clock),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
    linkKeys: linkKeys(dynamo, environment.KEYS_TABLE, runtime.clock),
    recordDecisionOrigin: environment.RECORD_DECISION_ORIGIN,
  }),
);
