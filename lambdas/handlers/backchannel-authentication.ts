/**
 * The function behind the backchannel authentication endpoint (CIBA Core 7).
 */
import { randomInt } from 'node:crypto';
import { clientDirectory, publicKeys, userDirectory } from '../aws/directory-table.ts';
import { addresseeNames, wrappingKeys } from '../aws/keys-table.ts';
import { notificationQuotas } from '../aws/notification-quotas.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient, stepFunctionsClient } from '../aws/sdk-clients.ts';
import { stepFunctionsFlow } from '../aws/step-functions-flow.ts';
import { usedTokenIds } from '../aws/used-token-ids.ts';
import { backchannelAuthenticationEndpoint } from '../endpoints/backchannel-authentication.ts';
import { backchannelAuthenticationEnvironment } from './environments/backchannel-authentication.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { httpFunction } from './http-function.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(backchannelAuthenticationEnvironment);
const dynamo = dynamoDbClient();
const requests = requestsTable(dynamo, environment.REQUESTS_TABLE);

export const handler = httpFunction(
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
      flowPolicies: environment.FLOW_POLICIES,
      notificationPolicies: environment.NOTIFICATION_POLICIES,
    },
    requests,
    quotas: notificationQuotas(dynamo, environment.REQUESTS_TABLE, {
      names: addresseeNames(dynamo, environment.KEYS_TABLE, runtime.clock),
      requests,
      draw: randomInt,
      unrepeated: dynamoDbClient({ maxAttempts: 1 }),
    }),
    clients: clientDirectory(dynamo, environment.DIRECTORY_TABLE, runtime.clock),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
    keys: publicKeys(dynamo, environment.DIRECTORY_TABLE),
    wrappingKeys: wrappingKeys(dynamo, environment.KEYS_TABLE, runtime.clock),
    usedTokenIds: usedTokenIds(dynamo, environment.REQUESTS_TABLE, runtime),
    flow: stepFunctionsFlow(stepFunctionsClient(), environment.FLOWS),
  }),
);
