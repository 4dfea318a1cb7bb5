/**
 * The environment of test runs: nothing of how the person who runs them has set up AWS, the CDK,
 * npm or this project, a home folder of its own, in which programs leave what they remember, and a
 * folder for temporary files that goes with the run.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Variables by which a person's settings would reach the AWS SDK, the CDK, npm and this project.
 */
const settings = /^(AWS|CDK|CIBA|JSII|NPM_CONFIG)_/i;

/**
 * The environment without those settings, at home in this folder, which is made if need be.
 * Whatever else is set stays, such as proxies, certificates and the places of programs.
 */
export function ownEnvironment(
  home: string,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true });
  const others = Object.entries(environment).filter(([name]) => !settings.test(name));
  return {
    ...Object.fromEntries(others),
    HOME: home,
    USERPROFILE: home,
    APPDATA: join(home, 'AppData/Roaming'),
    LOCALAPPDATA: join(home, 'AppData/Local'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
  };
}

/** Below the project, where every suite but the deployment is at home. */
const homeOfTests = fileURLToPath(new URL('../../build/home', import.meta.url));

/** Makes that the environment of this process, and of every process that it starts from now on. */
export function moveTo(home = homeOfTests): void {
  const own = { ...ownEnvironment(home), ...temporaryFolder() };
  for (const name of Object.keys(process.env)) if (!(name in own)) delete process.env[name];
  Object.assign(process.env, own);
}

/**
 * Where this process and what it starts leave temporary files; it is gone when this process ends.
 */
function temporaryFolder(): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'ciba-run-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return { TMPDIR: folder, TEMP: folder, TMP: folder };
}
