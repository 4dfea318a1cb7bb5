/**
 * MiniStack, an AWS-compatible endpoint from PyPI: installed with pinned versions into an
 * environment of its own, and started afresh for one run, on loopback.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../black-box/start-local-host.ts';
import { start } from './ended-processes.ts';
import { installRequirements } from './python-environment.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));
const environment = join(projectFolder, '.ministack');

/** How long MiniStack may take to answer, in milliseconds. */
const START_TIMEOUT = 30_000;

/** It cannot be had on this machine; the message is one sentence for a person. */
export class EmulatorUnavailable extends Error {
  override readonly name = 'EmulatorUnavailable';
}

/**
 * Installs MiniStack, unless exactly these versions are there already.
 * @throws EmulatorUnavailable
 */
export async function installMiniStack(): Promise<void> {
  try {
    await installRequirements(environment, requirements);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmulatorUnavailable(
      `MiniStack needs Python 3 with venv, and cannot be installed here (${reason}).`,
    );
  }
}

/** Starts MiniStack with its state in this folder; answers its URL. */
export async function startMiniStack(stateFolder: string): Promise<string> {
  const [port] = await freePorts(1);
  await mkdir(stateFolder, { recursive: true });
  start(join(environment, 'bin/ministack'), [], {
    stdio: 'ignore',
    env: {
      ...process.env,
      // The first `node` of the path runs the functions: the one that runs this.
      PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      // It opens an MQTT port on all interfaces otherwise.
      IOT_MTLS_ENABLED: '0',
      S3_DATA_DIR: join(stateFolder, 's3'),
      STATE_DIR: join(stateFolder, 'state'),
      TMPDIR: stateFolder,
    },
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(`${endpoint}/_ministack/health`);
  return endpoint;
}

async function answering(url: string): Promise<void> {
  const end = Date.now() + START_TIMEOUT;
  while (Date.now() < end) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`MiniStack did not answer within ${START_TIMEOUT} ms`);
}
