/** The whole stack, synthesized with its bundles and run on a local host in this process, for one file of tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Assembly, readAssembly } from '../../lib/local/read-assembly.ts';
import {
  type LocalHost,
  type LocalHostOptions,
  startLocalHost,
} from '../../lib/local/start-local-host.ts';
import { createProviderApp } from '../../lib/provider-app.ts';

/** A running local host and the assembly that it runs. */
export interface SynthesizedHost extends LocalHost {
  assembly: Assembly;
}

/** Takes some seconds; `stop` ends the host and removes the assembly. */
export async function startSynthesizedHost(
  options: Partial<Pick<LocalHostOptions, 'interpose' | 'log'>> = {},
): Promise<SynthesizedHost> {
  // CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
  process.env['CDK_VALIDATION'] = 'false';
  const folder = mkdtempSync(join(tmpdir(), 'ciba-host-'));
  const provider = createProviderApp({
    outdir: folder,
    // As on the local host of the command line: a suite asks the same users again and again.
    context: { senderAddress: 'approvals@bank.example', notificationPolicy: 'none' },
  });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  provider.app.synth();
  const anyPorts = { port: 0, inboxPort: 0, controlPort: 0 };
  const host = await startLocalHost({
    log: () => {},
    ...options,
    ...anyPorts,
    assembly: folder,
  });
  return {
    ...host,
    assembly: await readAssembly(folder),
    async stop() {
      await host.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
