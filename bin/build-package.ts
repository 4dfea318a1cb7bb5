/**
 * What `npm pack` puts beside the compiled constructs: the functions, bundled as synth bundles
 * them, and the files that constructs read. An app that depends on the package then needs no
 * bundler.
 */
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { findBundles } from '../lib/stack/bundle-sizes.ts';
import { createProviderApp } from '../lib/stack/provider-app.ts';

const projectRoot = join(import.meta.dirname, '..');
const packageFolder = join(projectRoot, 'build/package');

// The rules of CloudFormation are checked where a template is deployed.
process.env['CDK_VALIDATION'] = 'false';

rmSync(packageFolder, { recursive: true, force: true });
copyFiles('statemachines', '.json');
copyFiles('lib/notification-templates', '.txt', '.html');
copyBundles();

/** The folder, with the files of these extensions only. */
function copyFiles(path: string, ...extensions: string[]): void {
  cpSync(join(projectRoot, path), join(packageFolder, path), {
    recursive: true,
    filter: (source) => statSync(source).isDirectory() || extensions.includes(extname(source)),
  });
}

function copyBundles(): void {
  const outdir = mkdtempSync(join(tmpdir(), 'ciba-package-'));
  try {
    // The bundles know no setting; an issuer on localhost keeps synth from asking for a sender.
    const provider = createProviderApp({ outdir, context: { issuer: 'http://localhost:4010' } });
    if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
    provider.app.synth();
    for (const { handler, file } of findBundles(outdir)) {
      cpSync(file, join(packageFolder, 'functions', handler, basename(file)));
    }
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
