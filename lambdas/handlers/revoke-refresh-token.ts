/**
 * The function that ends refresh tokens for the operator, who may call it and write to no request.
 */
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { revokeRefreshTokenTask } from '../tasks/revoke-refresh-token.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { revokeRefreshTokenEnvironment } from './environments/revoke-refresh-token.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(revokeRefreshTokenEnvironment);

export const handler = inInvocation(
  revokeRefreshTokenTask({
    ...runtime,
    requests: requestsTable(dynamoDbClient(), environment.REQUESTS_TABLE),
  }),
);
