/**
 * The CDK app. Runs under the CDK command line (`npx cdk synth`) and without it (`CDK_OUTDIR=dir npx tsx bin/app.ts`).
 */
import { createProviderApp } from '../lib/provider-app.ts';

const provider = createProviderApp();

if ('mistakes' in provider) {
  for (const mistake of provider.mistakes) console.error(mistake);
  process.exitCode = 1;
} else {
  provider.app.synth();
}
