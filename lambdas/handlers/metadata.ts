/**
 * The function behind discovery (OpenID Connect Discovery 1.0, RFC 8414), /jwks (RFC 7517) and the
 * logos of clients.
 */
import { clientLogos } from '../aws/client-logos-table.ts';
import { publicKeys } from '../aws/directory-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { metadataEndpoint } from '../endpoints/metadata.ts';
import { metadataEnvironment } from './environments/metadata.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { httpFunction } from './http-function.ts';
import { runtime } from './runtime.ts';

const environment = readEnvironment(metadataEnvironment);
const dynamo = dynamoDbClient();

export const handler = httpFunction(
  environment.ISSUER,
  metadataEndpoint({
    ...runtime,
    issuer: environment.ISSUER,
    keys: publicKeys(dynamo, environment.DIRECTORY_TABLE),
    logos: clientLogos(dynamo, environment.DIRECTORY_TABLE),
  }),
);
