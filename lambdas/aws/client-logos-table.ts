/**
 * The logos of clients (OpenID Connect Registration 2, `logo_uri`) in the directory's table, each
 * an item of its own beside the client's, whose hash leads to it.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Logos } from '../ports.ts';
import { dynamoTable } from './dynamo-table.ts';
import { directoryKey, partitionKey } from './formats.ts';

const storedLogo = { hash: z.string(), png: z.instanceof(Uint8Array) };

/**
 * A logo, and the one before it, which the pages of a client that was read before the change still
 * refer to.
 */
export const logoItem = z.object({ ...storedLogo, before: z.optional(z.object(storedLogo)) });

/** The logos in the table. */
export function clientLogos(dynamo: DynamoDBClient, tableName: string): Logos {
  const table = dynamoTable(dynamo, tableName, partitionKey.directory);
  return {
    async findLogo(clientId, hash) {
      const item = await table.read(directoryKey.logo(clientId));
      if (!item) return undefined;
      const logo = logoItem.parse(item);
      return [logo, logo.before].find((one) => one?.hash === hash)?.png;
    },
  };
}
