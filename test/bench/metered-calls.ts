/**
 * Stands between the functions of a local host and its tables, and meters what each call consumes.
 */
import { request as httpRequest, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../lib/local/loopback.ts';
import type { ServiceEndpoints } from '../../lib/local/services/run-functions.ts';
import type { LocalTable } from '../../lib/local/template/read-stack.ts';
import {
  type IndexedAttributes,
  indexWriteUnits,
  itemBytes,
  readUnits,
  type StoredItem,
  writeUnits,
} from './consumed-units.ts';

/** What one call consumed of a table or of one of its indexes. */
export interface MeteredCall {
  functionName: string;
  /** `UpdateItem`. */
  operation: string;
  table: string;
  /** Of the index that was written besides. */
  index?: string;
  writeUnits: number;
  readUnits: number;
  /**
   * What the engine itself says of the table; it says nothing of a condition that failed, nor of
   * indexes that a write changes.
   */
  toldByEngine?: number;
  /** The key of the item, where it is one: `client#pump-4`. */
  key?: string | undefined;
  /** The item as the call left it. */
  item?: StoredItem | undefined;
}

export interface Meter {
  /** The calls since it was last emptied. */
  calls: MeteredCall[];
  /** For `startLocalHost`. */
  interpose(services: ServiceEndpoints): Promise<ServiceEndpoints>;
  /** Has to know the tables before a call that counts. */
  knowTables(tables: LocalTable[]): void;
  stop(): Promise<void>;
}

interface Call {
  TableName?: string;
  Key?: StoredItem;
  Item?: StoredItem;
  ConsistentRead?: boolean;
  RequestItems?: Record<string, { Keys?: StoredItem[]; ConsistentRead?: boolean }>;
}

interface Answer {
  Item?: StoredItem;
  Items?: StoredItem[];
  Responses?: Record<string, StoredItem[]>;
  ConsumedCapacity?: { CapacityUnits?: number };
}

/** Meters calls of single items and batches that read, which is all that functions make. */
export function createMeter(): Meter {
  const calls: MeteredCall[] = [];
  const tables = new Map<string, LocalTable>();
  const ends: (() => Promise<void>)[] = [];

  async function standBefore(engine: string): Promise<string> {
    const client = new DynamoDBClient({
      endpoint: engine,
      region: 'us-east-1',
      credentials: { accessKeyId: 'meter', secretAccessKey: 'meter' },
    });
    const found = async (table: string, Key: StoredItem) =>
      (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;
    const server: Server = createAsyncServer(async (request, response) => {
      const body = await buffer(request);
      const call: Call = JSON.parse(String(body));
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      const functionName = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
      const key = keyOf(call, tables.get(call.TableName ?? ''));
      const before = key && (await found(call.TableName ?? '', key));
      const asked = JSON.stringify({ ...call, ReturnConsumedCapacity: 'TOTAL' });
      const headers = { ...request.headers, 'content-length': String(Buffer.byteLength(asked)) };
      const { status, answerHeaders, answer } = await pass(engine, { headers, asked });
      const after = key && (await found(call.TableName ?? '', key));
      const [{ S: text = undefined } = {}] = Object.values(key ?? {});
      const met = { functionName: functionName ?? 'nobody', operation, key: text };
      const read: Answer = status === 200 ? JSON.parse(String(answer)) : {};
      calls.push(...meter(met, call, read, { before, after }));
      response.writeHead(status, answerHeaders);
      response.end(answer);
    });
    ends.push(
      async () => client.destroy(),
      () => closeServer(server),
    );
    return loopbackUrl(await listenOnLoopback(server, { port: 0 }));
  }

  function meter(
    met: Pick<MeteredCall, 'functionName' | 'operation' | 'key'>,
    call: Call,
    answer: Answer,
    { before, after }: { before: StoredItem | undefined; after: StoredItem | undefined },
  ): MeteredCall[] {
    const table = call.TableName ?? Object.keys(call.RequestItems ?? {})[0] ?? '';
    const told = answer.ConsumedCapacity?.CapacityUnits;
    const toldByEngine = told === undefined ? {} : { toldByEngine: told };
    const nothing = { writeUnits: 0, readUnits: 0 };
    switch (met.operation) {
      case 'GetItem': {
        const bytes = answer.Item ? itemBytes(answer.Item) : 0;
        const units = readUnits(bytes, call.ConsistentRead === true);
        return [{ ...met, ...nothing, ...toldByEngine, table, readUnits: units }];
      }
      case 'BatchGetItem': {
        const { Keys = [], ConsistentRead = false } = call.RequestItems?.[table] ?? {};
        const items = answer.Responses?.[table] ?? [];
        const missing = Keys.length - items.length;
        const units = [...items.map(itemBytes), ...Array<number>(missing).fill(0)]
          .map((bytes) => readUnits(bytes, ConsistentRead))
          .reduce((sum, one) => sum + one, 0);
        return [{ ...met, ...nothing, table, readUnits: units }];
      }
      case 'PutItem':
      case 'UpdateItem':
      case 'DeleteItem': {
        const units = writeUnits(before, after);
        const written = {
          ...met,
          ...nothing,
          ...toldByEngine,
          table,
          writeUnits: units,
          item: after,
        };
        const entries = indexesOf(tables.get(table)).map((index) => ({
          ...{ ...met, ...nothing, table, index: index.name },
          writeUnits: indexWriteUnits(index, before, after),
        }));
        return [written, ...entries.filter(({ writeUnits: of }) => of > 0)];
      }
      default:
        throw new Error(`${met.operation} is not metered`);
    }
  }

  return {
    calls,
    interpose: async (services) => ({
      ...services,
      dynamodb: await standBefore(services.dynamodb),
    }),
    knowTables(known) {
      for (const table of known) tables.set(table.TableName, table);
    },
    async stop() {
      for (const end of ends) await end();
    },
  };
}

function keyOf({ Key, Item }: Call, table: LocalTable | undefined): StoredItem | undefined {
  const name = table?.KeySchema?.[0]?.AttributeName;
  const value: AttributeValue | undefined = name === undefined ? undefined : (Key ?? Item)?.[name];
  return name === undefined || value === undefined ? undefined : { [name]: value };
}

/** The indexes of a table, with the key of the table in each. */
export function indexesOf(table: LocalTable | undefined): IndexedAttributes[] {
  const names = (keys: { AttributeName?: string | undefined }[] = []) =>
    keys.map(({ AttributeName = '' }) => AttributeName);
  return (table?.GlobalSecondaryIndexes ?? []).map((index) => ({
    name: index.IndexName ?? '',
    keys: names(index.KeySchema),
    attributes: [...names(table?.KeySchema), ...(index.Projection?.NonKeyAttributes ?? [])],
  }));
}

async function pass(engine: string, { headers, asked }: { headers: object; asked: string }) {
  const answered = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const onward = httpRequest(engine, { method: 'POST', headers: { ...headers } }, resolve);
    onward.once('error', reject);
    onward.end(asked);
  });
  const answer = await buffer(answered);
  return { status: answered.statusCode ?? 502, answerHeaders: answered.headers, answer };
}
