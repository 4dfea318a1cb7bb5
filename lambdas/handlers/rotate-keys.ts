/**
 * The one function that writes keys: CloudFormation calls it for the first ones, a schedule every
 * day, and an operator who wants new ones now.
 */
import { generateSigningKey } from '../aws/generate-signing-key.ts';
import { keyStore } from '../aws/keys-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { rotateKeysTask } from '../tasks/rotate-keys.ts';
import { customResourceHandler, isCustomResourceEvent } from './custom-resource.ts';
import { platformEnvironment } from './environments/platform.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { rotateKeysEnvironment } from './environments/rotate-keys.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(rotateKeysEnvironment);

const rotateKeys = rotateKeysTask({
  ...runtime,
  keys: keyStore(dynamoDbClient(), environment.KEYS_TABLE, environment.DIRECTORY_TABLE),
  generateSigningKey,
  periodSeconds: environment.ROTATION_PERIOD,
});

const platform = readEnvironment(platformEnvironment);

const firstKeys = customResourceHandler(() => rotateKeys({ rotate: 'when-due' }), {
  region: platform.AWS_REGION,
  s3Endpoint: platform.AWS_ENDPOINT_URL_S3 ?? platform.AWS_ENDPOINT_URL,
});

export const handler = inInvocation<unknown>((input) =>
  isCustomResourceEvent(input) ? firstKeys(input) : rotateKeys(input),
);
