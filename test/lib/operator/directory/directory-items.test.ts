/** Reading many items at once, of which DynamoDB may give only some. */
import { expect, it } from 'vitest';
import * as z from 'zod';
import {
  type DirectoryStore,
  readItems,
} from '../../../../lib/operator/directory/directory-items.ts';
import { answeredClients } from '../../../support/operated-deployment.ts';

const batch = z.object({
  RequestItems: z.object({
    directory: z.object({
      ConsistentRead: z.literal(true),
      Keys: z.array(z.object({ pk: z.object({ S: z.string() }) })),
    }),
  }),
});

/** A table that reads so many of the keys of a batch and leaves the rest. */
function storeThatReads(some: (keys: number) => number) {
  const asked: number[] = [];
  const pauses: number[] = [];
  const { dynamodb } = answeredClients((_, input) => {
    const keys = batch.parse(input).RequestItems.directory.Keys;
    asked.push(keys.length);
    const read = keys.slice(0, some(keys.length));
    const left = keys.slice(read.length);
    return {
      Responses: { directory: read.map(({ pk }) => ({ pk, name: { S: 'x' } })) },
      UnprocessedKeys: left.length > 0 ? { directory: { Keys: left } } : {},
    };
  });
  const store: DirectoryStore = {
    client: dynamodb,
    tableName: 'directory',
    keysTableName: undefined,
    clock: () => 0,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  };
  return { store, asked, pauses };
}

const keys = (count: number) => Array.from({ length: count }, (_, index) => `user#${index}`);

it('asks for a hundred keys at a time, each once, and again for those that were left', async () => {
  const { store, asked, pauses } = storeThatReads((count) => Math.ceil(count / 2));
  const items = await readItems(store, [...keys(150), ...keys(150)]);
  expect(items.size).toBe(150);
  expect(items.get('user#149')).toEqual({ pk: 'user#149', name: 'x' });
  expect(Math.max(...asked)).toBe(100);
  expect(pauses).toEqual([]);
});

it('waits where nothing was read, and gives up in the end', async () => {
  let answers = 0;
  const slow = storeThatReads((count) => (++answers < 3 ? 0 : count));
  expect((await readItems(slow.store, keys(3))).size).toBe(3);
  expect(slow.pauses).toEqual([100, 200]);
  const stuck = storeThatReads(() => 0);
  await expect(readItems(stuck.store, keys(3))).rejects.toThrow('directory is asked too much');
});

it('asks nothing for no keys', async () => {
  const { store, asked } = storeThatReads((count) => count);
  expect((await readItems(store, [])).size).toBe(0);
  expect(asked).toEqual([]);
});
