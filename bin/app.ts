/**
 * The CDK app. Runs under the CDK command line (`npx cdk synth`) and without it
 * (`CDK_OUTDIR=dir npx tsx bin/app.ts`).
 */
import { createProviderApp } from '../lib/stack/provider-app.ts';

// The command line sets it to where it would deploy.
const provider = createProviderApp({ region: process.env['CDK_DEFAULT_REGION'] });

if ('mistakes' in provider) {
  for (const mistake of provider.mistakes) console.error(mistake);
  process.exitCode = 1;
} else {
  provider.app.synth();
}
