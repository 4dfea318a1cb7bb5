/**
 * Tries a deployment from outside: `npm run smoke -- --issuer URL …`. Ends with 0 if every step went as it should, with 1 if one
 * did not, with 2 for a wrong option; `--help` lists them.
 */
import { SmokeFailure, smoke } from '../lib/operator/smoke/smoke.ts';
import {
  readSmokeOptions,
  type SmokeTarget,
  SmokeUsageError,
  smokeUsage,
} from '../lib/operator/smoke/smoke-options.ts';
import { readClientSecret } from '../lib/operator/smoke/smoke-secret.ts';

const target = await readOptionsOrExit();
if (target === undefined) console.log(smokeUsage);
else await run(target);

async function readOptionsOrExit(): Promise<SmokeTarget | undefined> {
  try {
    const options = readSmokeOptions(process.argv.slice(2), process.env);
    return options && { ...options, clientSecret: await readClientSecret(options, process) };
  } catch (error) {
    if (!(error instanceof SmokeUsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

async function run(options: SmokeTarget): Promise<void> {
  try {
    await smoke(options, (line) => console.log(line));
  } catch (error) {
    if (!(error instanceof SmokeFailure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
