/**
 * The operator's command line: `npm run -s ciba -- <command>`; `--help` lists the commands.
 * AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL say where the deployment is, as for every AWS tool.
 */
import { runCommandLine } from '../lib/operator/command-line.ts';

// The SDK warns of Node versions to come.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

// Whoever stops reading, as `head` does, has seen enough: no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const { stdin, stdout, stderr, env } = process;

/** Ends a command that waits, instead of the process. A second one ends the process. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  return interrupted.signal;
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  // Only what looks for a deployment waits for the AWS SDK.
  findDeployment: async (stackName) =>
    (await import('../lib/operator/deployment/deployment.ts')).findDeployment(stackName),
  clock: () => Date.now() / 1000,
  interruption,
  isUtf8: /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''),
  environment: env,
});
