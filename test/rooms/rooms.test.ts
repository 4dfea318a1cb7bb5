/** The import law holds for every import of the product, and no imports lead round in a circle. */
import { describe, expect, it } from 'vitest';
import { arrowsOf, findCircle, floorsOf } from './floors.ts';
import { importLaw } from './import-law.ts';
import { findBreach, showImport } from './judge-imports.ts';
import { readImports, readProductImports } from './read-imports.ts';

const imports = readProductImports();

function breaches(file: string, statement: string): string[] {
  return readImports(file, statement).flatMap((one) => findBreach(one) ?? []);
}

describe('the import law', () => {
  it('holds for every import', () => {
    expect(imports.flatMap((one) => findBreach(one) ?? [])).toEqual([]);
  });

  it('has each room once, and none without files', () => {
    const files = [...new Set(imports.flatMap(({ file, from }) => [file, from]))];
    const isThere = (room: string) =>
      files.some((file) => file === room || file.startsWith(`${room}/`));
    const rooms = importLaw.map(({ room }) => room);
    expect(rooms.filter((room) => !isThere(room))).toEqual([]);
    expect(new Set(rooms).size).toBe(rooms.length);
  });

  it.each([
    `import { table } from '../aws/table.ts';`,
    `import type { Table } from '../aws/table.ts';`,
    `import { type Table } from '../aws/table.ts';`,
    `import '../aws/table.ts';`,
    `import table from './../aws/table.ts';`,
    `import * as table from '../ciba/../aws/table.ts';`,
    `export { table } from '../aws/table.ts';`,
    `export * from '../aws/table.ts';`,
    `const table = await import('../aws/table.ts');`,
    `const table = await import(name);`,
    `import { handler } from '../handlers/token.ts';`,
    `import { DynamoDBClient } from '@aws-sdk/client-dynamodb';`,
    `import { Stack } from 'aws-cdk-lib';`,
    `import { readFileSync } from 'node:fs';`,
    `import { createHash, randomBytes } from 'node:crypto';`,
    `import { randomUUID as createHash } from 'node:crypto';`,
    `import * as crypto from 'node:crypto';`,
    `import crypto from 'node:crypto';`,
    `import * as z from 'zod';`,
  ])('refuses an endpoint %s', (statement) => {
    expect(breaches('lambdas/endpoints/token.ts', statement)).toEqual([
      expect.stringMatching(
        /^lambdas\/endpoints\/token\.ts imports .*; the row lambdas\/endpoints /,
      ),
    ]);
  });

  it.each([
    ['lambdas/ciba/request/poll.ts', `import { SignJWT } from 'jose';`],
    ['lambdas/ports.ts', `import { normalise } from './ciba/user/user.ts';`],
    ['lambdas/ports.ts', `import { type User } from './ciba/user/user.ts';`],
    ['lambdas/aws/formats.ts', `import { table } from './table.ts';`],
    ['lambdas/handlers/environments/token.ts', `import { runtime } from '../runtime.ts';`],
    ['lib/stack/tables.ts', `import { text } from '../../lambdas/handlers/environments/text.ts';`],
    ['lib/operator/commands/keys.ts', `import { poll } from '../../../lambdas/ciba/poll.ts';`],
    ['lib/operator/terminal/csv.ts', `import { a } from '../../../lambdas/ciba/day.ts';`],
    ['lib/local/serve.ts', `import { routes } from '../../lambdas/routes.ts';`],
    ['lib/unknown/room.ts', `import { a } from './other.ts';`],
  ])('refuses %s what is narrower there: %s', (file, statement) => {
    expect(breaches(file, statement)).toHaveLength(1);
  });

  it.each([
    ['lambdas/ciba/request/poll.ts', `import { importJWK, type JWK } from 'jose';`],
    ['lambdas/ports.ts', `import type { User } from './ciba/user/user.ts';`],
    ['lib/stack/tables.ts', `import type { A } from '../../lambdas/handlers/environments/a.ts';`],
  ])('allows %s what is its own: %s', (file, statement) => {
    expect(breaches(file, statement)).toEqual([]);
  });
});

describe('the floors', () => {
  it('have every place, since no imports lead round in a circle', () => {
    expect(findCircle(imports).map(showImport)).toEqual([]);
    const arrows = arrowsOf(imports);
    expect(floorsOf(arrows).flat().toSorted()).toEqual([...arrows.keys()].toSorted());
  });

  it('are refused to a circle, of which each import is named and no other', () => {
    const made = Object.entries({
      'lib/local/start.ts': `import { a } from './services/a.ts';`,
      'lib/local/services/a.ts': `import { b } from '../template/b.ts';`,
      'lib/local/services/d.ts': `import { c } from '../template/c.ts';`,
      'lib/local/template/b.ts': `import { log } from '../log.ts';`,
      'lib/local/template/c.ts': `import type { D } from '../services/d.ts';`,
    }).flatMap(([file, source]) => readImports(file, source));
    expect(findCircle(made).map(showImport)).toEqual([
      'lib/local/template/c.ts imports types D from lib/local/services/d.ts',
      'lib/local/services/a.ts imports b from lib/local/template/b.ts',
      'lib/local/services/d.ts imports c from lib/local/template/c.ts',
    ]);
    expect(floorsOf(arrowsOf(made))).toEqual([['lib/local/log.ts']]);
  });
});
