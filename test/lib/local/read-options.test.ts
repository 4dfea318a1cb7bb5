/**
 * The command line of the local host: its defaults, and a line for each mistake that says what is
 * allowed.
 */
import { describe, expect, test } from 'vitest';
import { readOptions } from '../../../lib/local/read-options.ts';

describe('readOptions', () => {
  test('gives the inbox, the control server and the demo the three ports above', () => {
    const ports = { port: 4010, inboxPort: 4011, controlPort: 4012, demoPort: 4013 };
    expect(readOptions([])).toMatchObject(ports);
    const others = { inboxPort: 5001, controlPort: 5002, demoPort: 5003 };
    expect(readOptions(['--port', '5000'])).toMatchObject(others);
    expect(readOptions(['--demo-port', '4100'])).toMatchObject({ ...ports, demoPort: 4100 });
  });

  test('has no port for a demo when headless, and so needs none', () => {
    const { demoPort } = readOptions(['--headless', '--port', '65533']);
    expect(demoPort).toBeUndefined();
  });

  test('takes every option', () => {
    const line = '--headless --tls --port 1 --inbox-port 9 --control-port 8 --seed /s --data /d';
    const flags = ['--rename-www-authenticate', '--set', 'a=b=c', '--set', 'd='];
    expect(readOptions([...line.split(' '), ...flags])).toEqual({
      headless: true,
      port: 1,
      inboxPort: 9,
      controlPort: 8,
      demoPort: undefined,
      tls: true,
      seed: '/s',
      dataDirectory: '/d',
      settings: { a: 'b=c', d: '' },
      assembly: undefined,
      renameWwwAuthenticate: true,
      help: false,
    });
  });

  test('P50: serves plain http unless told, and https at the port of either scheme', () => {
    expect(readOptions([]).tls).toBe(false);
    expect(readOptions(['--tls'])).toMatchObject({ tls: true, port: 4010 });
    expect(readOptions(['--tls', '--port', '443']).port).toBe(443);
    expect(readOptions(['--tls', '--port', '80']).port).toBe(80);
  });

  test.each([
    ['--nonsense', /^Unknown option '--nonsense'; --help lists the options$/],
    ['stray', /^Unexpected argument 'stray'; --help lists the options$/],
    ['--seed', /^Option '--seed <value>' argument missing; --help/],
    ['--port x', /^--port: "x" is not allowed; allowed: a port from 1 to 65535$/],
    ['--port 65534', /^--control-port: "65536" is not allowed/],
    ['--inbox-port 1e3', /^--inbox-port: "1e3" is not allowed/],
    ['--port 0', /^--port: "0" is not allowed/],
    ['--port 4010 --inbox-port 4010', /must be ports of their own$/],
    ['--demo-port 4012', /must be ports of their own$/],
    ['--demo-port 0', /^--demo-port: "0" is not allowed/],
    ['--headless --demo-port 4100', /^--demo-port: --headless starts no demo/],
    ['--set interval', /^--set: "interval" is not allowed; allowed: KEY=VALUE$/],
    ['--set issuer=http://x', /^--set issuer: the issuer follows from --port and --tls$/],
    ['--tls --set issuer=https://x', /^--set issuer: the issuer follows from --port and --tls$/],
    ['--tls=yes', /^Option '--tls' does not take an argument; --help/],
    ['--port 80', /^--port: 80 is not allowed without --tls, .*; allowed: any other$/],
    ['--assembly cdk.out --set a=b', /^--set: the settings of --assembly are fixed/],
  ])('refuses %s', (line, message) => {
    expect(() => readOptions(line.split(' '))).toThrow(message);
  });
});
