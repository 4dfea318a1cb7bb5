/**
 * The function behind the token endpoint (CIBA Core 10.1).
 */
import { clientDirectory, userDirectory } from '../aws/directory-table.ts';
import { tokenSigner, wrappingKeys } from '../aws/keys-table.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { usedTokenIds } from '../aws/used-token-ids.ts';
import { tokenEndpoint } from '../endpoints/token.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { tokenEnvironment } from './environments/token.ts';
import { httpFunction } from './http-function.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(tokenEnvironment);
const dynamo = dynamoDbClient();

export const handler = httpFunction(
  environment.ISSUER,
  tokenEndpoint({
    ...runtime,
    issuer: environment.ISSUER,
    accessTokenAudience: environment.ACCESS_TOKEN_AUDIENCE,
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    clients: clientDirectory(dynamo, environment.DIRECTORY_TABLE, runtime.clock),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
    signer: tokenSigner(dynamo, environment.KEYS_TABLE, runtime.clock),
    wrappingKeys: wrappingKeys(dynamo, environment.KEYS_TABLE, runtime.clock),
    usedTokenIds: usedTokenIds(dynamo, environment.REQUESTS_TABLE, runtime),
  }),
);
