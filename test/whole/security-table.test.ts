/**
 * The tables of SECURITY.md: a test beside every line, which is there and names the threat or the
 * fault.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const rows = readFileSync('SECURITY.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| [TFIP]\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, name = '', , , tests = '']) => ({
    name,
    files: [...tests.matchAll(/`([^`]+)`/g)].map(([, file]) => `test/${file}`),
  }));

it('has a line for each threat and each fault', () => {
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter(({ name }) => name.startsWith('P'))).toHaveLength(53);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

it.each(rows)('$name has its tests', ({ name, files }) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect([file, existsSync(file)]).toEqual([file, true]);
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  expect([name, new RegExp(`\\b${name.split('-')[0]?.charAt(0)}\\d`).test(text)]).toEqual([
    name,
    true,
  ]);
  if (/^[TP]/.test(name))
    expect([name, new RegExp(`\\b${name}\\b`).test(text)]).toEqual([name, true]);
});
