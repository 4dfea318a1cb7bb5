/**
 * DynamoDB on this machine: dynalite with the tables and indexes of the template, or the engine
 * that the tests are given.
 */

import { mkdir } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import { parseJson } from '../../parse-json.ts';
import { closeServer, listenOnLoopback, loopbackUrl, programsOnly } from '../loopback.ts';
import type { LocalTable } from '../template/read-stack.ts';
import { localAccount } from '../template/resource-names.ts';
import { askWithin } from './ask-within.ts';
import { brokenLimit } from './dynamodb-limits.ts';
import { readAgain } from './forward.ts';
import { lockFolder } from './lock-folder.ts';
import { tablesElsewhere } from './tables-elsewhere.ts';

/** A running DynamoDB. */
export interface LocalTables {
  endpoint: string;
  client: DynamoDBClient;
  stop(): Promise<void>;
}

/**
 * Set by `npm run test:dynamodb` alone: where the engine answers that is to be used instead of
 * dynalite.
 */
const engineOfTests = 'TEST_DYNAMODB_ENDPOINT';

/**
 * Dynalite wants to see a signature and judges none, and nobody reads a log of calls: to sign them,
 * and to copy them for a logger, takes a fifth of the processor's time that a call of the SDK
 * takes.
 */
const plainCalls = {
  signer: {
    async sign<Call>(call: Call): Promise<Call> {
      const scope = `20260101/${localAccount.region}/dynamodb/aws4_request`;
      Object.assign(Object(call).headers, {
        authorization: `AWS4-HMAC-SHA256 Credential=local/${scope}, SignedHeaders=host, Signature=none`,
        'x-amz-date': '20260101T000000Z',
      });
      return call;
    },
  },
  // Without any function of a logger's the SDK makes no copies.
  logger: {} as NonNullable<DynamoDBClientConfig['logger']>,
} satisfies Partial<DynamoDBClientConfig>;

/**
 * Starts dynalite; state is kept in `dataDirectory`, or in memory without one.
 * @throws OperatorError if another local host has the directory
 */
export async function serveTables(dataDirectory?: string): Promise<LocalTables> {
  const unlock = dataDirectory === undefined ? undefined : await takeFolder(dataDirectory);
  const elsewhere = dataDirectory === undefined ? process.env[engineOfTests] : undefined;
  const server = elsewhere ? tablesElsewhere(elsewhere) : dynaliteServer(dataDirectory);
  const endpoint = loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  const client = new DynamoDBClient({
    endpoint,
    region: localAccount.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    ...(elsewhere ? {} : { ...plainCalls, requestHandler: askWithin(server) }),
  });
  return {
    endpoint,
    client,
    async stop() {
      client.destroy();
      await closeServer(server);
      await unlock?.();
    },
  };
}

function dynaliteServer(dataDirectory: string | undefined): Server {
  const server = dynalite({
    createTableMs: 0,
    updateTableMs: 0,
    deleteTableMs: 0,
    ...(dataDirectory !== undefined && { path: join(dataDirectory, 'tables') }),
  });
  standBefore(server);
  return server;
}

/**
 * Refuses web pages, and what dynalite takes and DynamoDB does not. It hands over whole requests,
 * since dynalite throws out of its server when a caller goes away in the middle of one.
 */
function standBefore(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const answer = programsOnly(async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return void response.destroy();
    const broken = brokenLimit(parseJson(body));
    if (broken !== undefined) {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      const type = 'com.amazon.coral.validate#ValidationException';
      return void response.end(JSON.stringify({ __type: type, message: broken }));
    }
    for (const listener of listeners) listener(readAgain(request, body), response);
  });
  server.on('request', answer);
}

async function takeFolder(dataDirectory: string): Promise<() => Promise<void>> {
  await mkdir(dataDirectory, { recursive: true });
  return lockFolder(dataDirectory);
}

/**
 * Creates the tables that are not there yet, and waits until each can be used.
 * @throws OperatorError if a kept table has other keys or indexes than the template says
 */
export async function createTables(client: DynamoDBClient, tables: LocalTable[]): Promise<void> {
  await Promise.all(tables.map((table) => createTable(client, table)));
}

async function createTable(client: DynamoDBClient, table: LocalTable): Promise<void> {
  try {
    await client.send(new CreateTableCommand(table));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  const kept = await describeActiveTable(client, table.TableName);
  const indexes = kept?.GlobalSecondaryIndexes ?? [];
  const wanted = [table, ...(table.GlobalSecondaryIndexes ?? [])].map(describeKeys).sort();
  const found = [kept, ...indexes].map((index) => describeKeys(index ?? {})).sort();
  if (wanted.join() !== found.join()) {
    throw new OperatorError(
      `Table ${table.TableName} was kept with other keys or indexes than the stack has: give another --data folder`,
    );
  }
}

async function describeActiveTable(client: DynamoDBClient, name: string) {
  for (;;) {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
    const statuses = [table, ...(table?.GlobalSecondaryIndexes ?? [])].map(
      (index) => index && ('TableStatus' in index ? index.TableStatus : 'ACTIVE'),
    );
    if (statuses.every((status) => status === 'ACTIVE')) return table;
  }
}

interface Keys {
  IndexName?: string | undefined;
  KeySchema?: { AttributeName?: string | undefined; KeyType?: string | undefined }[] | undefined;
}

function describeKeys({ IndexName: index, KeySchema: keys = [] }: Keys): string {
  const names = keys.map(({ AttributeName: name, KeyType: type }) => `${type} ${name}`);
  return `${index ?? ''}(${names.join(' ')})`;
}
