/**
 * The lock files. Of npm: it records no download address, vouches for every package by a hash, and
 * has an entry for every optional package, without which `npm ci` refuses it on any machine but the
 * one it was made on.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      optionalDependencies: z.record(z.string(), z.string()).optional(),
      integrity: z.string().optional(),
      inBundle: z.boolean().optional(),
    }),
  ),
});
const text = readFileSync('package-lock.json', 'utf8');
const { packages } = lockFile.parse(JSON.parse(text));

describe('package-lock.json', () => {
  it('records no download address', () => {
    expect(text).not.toMatch(/"resolved":|https?:\/\/[^"]*\.tgz/);
  });

  it('has an entry for every optional package, whatever its platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    expect(missing).toEqual([]);
  });

  it('O18: has a strong hash of every package that is fetched, whatever its platform', () => {
    const fetched = Object.entries(packages).filter(([path, { inBundle }]) => path && !inBundle);
    expect(fetched.length).toBeGreaterThan(100);
    const unvouched = fetched.filter(
      ([, { integrity = '' }]) => !/^sha512-.{86}==$/.test(integrity),
    );
    expect(unvouched.map(([path]) => path)).toEqual([]);
  });
});

describe.each(['test/deploy/requirements.txt', 'test/templates/requirements.txt'])('%s', (file) => {
  it('O18: pins every package by version and hashes, and names no host', () => {
    const [comment, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(comment).toMatch(/^# [^/]*$/);
    const others = lines.filter(
      (line) => !/^([a-z0-9-]+==[\w.]+ \\| {4}--hash=sha256:[0-9a-f]{64}( \\)?)$/.test(line),
    );
    expect(others).toEqual([]);
    expect(lines.filter((line) => line.includes('==')).length).toBeGreaterThan(5);
  });
});

/** As Node resolves it: beside the package, or beside any package around it. */
function isLocked(path: string, name: string): boolean {
  const folders = path
    .split('/node_modules/')
    .map((_, depth, parts) => parts.slice(0, depth + 1).join('/node_modules/'));
  return ['', ...folders].some((folder) => {
    const prefix = folder === '' ? '' : `${folder}/`;
    return `${prefix}node_modules/${name}` in packages;
  });
}
