/**
 * The function of the custom resource that makes a new deployment's keys.
 */
import { generateSigningKey } from '../aws/generate-signing-key.ts';
import { keyStore } from '../aws/keys-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { firstKeysTask } from '../tasks/first-keys.ts';
import { customResourceHandler } from './custom-resource.ts';
import { firstKeysEnvironment, readEnvironment } from './environment.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(firstKeysEnvironment);

export const handler = customResourceHandler(
  firstKeysTask({
    ...runtime,
    keys: keyStore(dynamoDbClient(), environment.KEYS_TABLE, environment.DIRECTORY_TABLE),
    generateSigningKey,
  }),
);
