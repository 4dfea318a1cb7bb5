/**
 * The check of bundle sizes on an assembly made up for it: what it measures, and what it will not
 * pass over.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureBundles } from '../../../lib/stack/bundle-sizes.ts';

const handlers = [
  'backchannel-authentication',
  'token',
  'approve',
  'metadata',
  'locate-user',
  'mail',
  'record-failure',
  'mail-feedback',
  'revoke-refresh-token',
  'rotate-keys',
];

let assembly: string;
beforeEach(() => {
  assembly = mkdtempSync(join(tmpdir(), 'ciba-sizes-'));
});
afterEach(() => rmSync(assembly, { recursive: true }));

/** Writes an assembly in which each function's bundle has that many bytes. */
function writeAssembly(sizes: Record<string, number>): void {
  const functions = Object.entries(sizes).map(([handler, bytes]) => {
    mkdirSync(join(assembly, `asset.${handler}`));
    writeFileSync(join(assembly, `asset.${handler}`, 'index.mjs'), 'x'.repeat(bytes));
    const Properties = {
      Description: `lambdas/handlers/${handler}.ts`,
      Code: { S3Bucket: { 'Fn::Sub': 'assets' }, S3Key: `${handler}.zip` },
    };
    return [handler, { Type: 'AWS::Lambda::Function', Properties }];
  });
  const Resources = { Table: { Type: 'AWS::DynamoDB::Table' }, ...Object.fromEntries(functions) };
  writeFileSync(join(assembly, 'Ciba.template.json'), JSON.stringify({ Resources }));
}

function sizesOf(names: string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 1000]));
}

describe('measureBundles', () => {
  it('gives the size and the limit of every function, the largest first', () => {
    writeAssembly({ ...sizesOf(handlers), token: 300_001, mail: 350_000 });
    const [first, second, ...others] = measureBundles(assembly);
    expect(first).toEqual({ handler: 'mail', bytes: 350_000, limit: 350_000 });
    expect(second).toEqual({ handler: 'token', bytes: 300_001, limit: 300_000 });
    expect(others).toHaveLength(8);
  });

  it('does not pass over a function that is missing', () => {
    writeAssembly(sizesOf(handlers.filter((handler) => handler !== 'approve')));
    expect(() => measureBundles(assembly)).toThrow(
      /has no function of lambdas\/handlers\/approve.ts/,
    );
  });

  it('does not pass over a function that nobody set a limit for', () => {
    writeAssembly(sizesOf([...handlers, 'query-audit']));
    expect(() => measureBundles(assembly)).toThrow(
      'No limit is set for the bundle of query-audit.',
    );
  });
});
