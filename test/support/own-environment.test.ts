/** No test run reads a person's settings or writes to a person's home folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownEnvironment } from './own-environment.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ciba-home-'));
});
afterAll(() => rm(home, { recursive: true }));

describe('the environment of a test run', () => {
  it.each([
    'AWS_PROFILE',
    'AWS_ENDPOINT_URL_DYNAMODB',
    'AWS_CONFIG_FILE',
    'CDK_CONTEXT_JSON',
    'CDK_HOME',
    'CIBA_CLIENT_SECRET',
    'npm_config_userconfig',
    'JSII_RUNTIME_PACKAGE_CACHE_ROOT',
  ])('O8: does not have %s', (name) => {
    expect(ownEnvironment(home, { [name]: 'of a person' })).not.toHaveProperty(name);
  });

  it.each([
    'PATH',
    'CHROMIUM',
    'HTTPS_PROXY',
    'NODE_EXTRA_CA_CERTS',
    'BLACK_BOX_ISSUER',
    'FUZZ_SECONDS',
  ])('O8: keeps %s', (name) => {
    expect(ownEnvironment(home, { [name]: 'of a person' })).toHaveProperty(name, 'of a person');
  });

  it.each(['HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'USERPROFILE'])(
    'O8: has %s in the folder of the run',
    (name) => {
      const own = ownEnvironment(home, { [name]: '/home/of-a-person' });
      expect(own[name]?.startsWith(home)).toBe(true);
    },
  );

  it('O8: is that of this very run', () => {
    expect(homedir()).toContain(join('build', 'home'));
    expect(tmpdir()).toMatch(/ciba-run-\w+$/);
    expect(Object.keys(process.env).filter((name) => name.startsWith('CDK_'))).toEqual(
      process.env['CDK_VALIDATION'] === undefined ? [] : ['CDK_VALIDATION'],
    );
  });
});
