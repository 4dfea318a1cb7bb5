/**
 * The function behind the backchannel authentication endpoint (CIBA Core 7).
 */
import { clientDirectory, publicKeys, userDirectory } from '../aws/directory-table.ts';
import { wrappingKeys } from '../aws/keys-table.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient, stepFunctionsClient } from '../aws/sdk-clients.ts';
import { stepFunctionsFlow } from '../aws/step-functions-flow.ts';
import { usedTokenIds } from '../aws/used-token-ids.ts';
import { DEFAULT_FLOW } from '../ciba/flow.ts';
import { backchannelAuthenticationEndpoint } from '../endpoints/backchannel-authentication.ts';
import { httpHandler } from '../http/api-gateway-event.ts';
import { authorizeEnvironment, readEnvironment } from './environment.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(authorizeEnvironment);
const dynamo = dynamoDbClient();

export const handler = httpHandler(
  environment.ISSUER,
  backchannelAuthenticationEndpoint({
    ...runtime,
    issuer: environment.ISSUER,
    settings: {
      defaultExpiresIn: environment.DEFAULT_EXPIRES_IN,
      minExpiresIn: environment.MIN_EXPIRES_IN,
      maxExpiresIn: environment.MAX_EXPIRES_IN,
      defaultInterval: environment.DEFAULT_INTERVAL,
      auditRetention: environment.AUDIT_RETENTION,
      flow: DEFAULT_FLOW,
    },
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    clients: clientDirectory(dynamo, environment.DIRECTORY_TABLE, runtime.clock),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
    keys: publicKeys(dynamo, environment.DIRECTORY_TABLE),
    wrappingKeys: wrappingKeys(dynamo, environment.KEYS_TABLE, runtime.clock),
    usedTokenIds: usedTokenIds(dynamo, environment.REQUESTS_TABLE, runtime),
    flow: stepFunctionsFlow(stepFunctionsClient(), environment.FLOWS),
  }),
);
