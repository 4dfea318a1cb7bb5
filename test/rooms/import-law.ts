/**
 * The import law: which room may import what. The row with the longest path above a file is its
 * row, and the file imports what that row names and nothing else. rooms.test.ts walks every import.
 * Bans that are no imports, such as the clock in lambdas/ciba, stand in the linter.
 */

/**
 * A file, or a folder or package with all beneath it. A star at the end stands for any ending; an
 * object allows only these names of the module.
 */
export type Importable = string | { from: string; names: RegExp };

export interface Row {
  room: string;
  imports: readonly Importable[];
  /** These by `import type` only: such an import is gone after compilation. */
  types?: readonly Importable[];
}

/** Random bytes and encryption are ports. */
const hashing = {
  from: 'node:crypto',
  names: /^(createHash|createHmac|timingSafeEqual|Hash|Hmac|KeyObject)$/,
};
/** Signing, encryption and what fetches keys are ports. */
const verifying = {
  from: 'jose',
  names:
    /^(import.+|.+Verify|decode.+|createLocalJWKSet|calculateJwkThumbprint|errors|J.+|CryptoKey|.+Options|.+Result|.+Parameters)$/,
};

/** What endpoints and tasks import. Adapters are passed in. */
const protocolAtWork = [
  ...['lambdas/ciba', 'lambdas/ports.ts', 'lambdas/http', 'lambdas/log.ts', 'lambdas/routes.ts'],
  ...['zod/mini', hashing],
];

/** The law as a table. A row inside another row's folder is narrower, for the reason above it. */
export const importLaw: readonly Row[] = [
  { room: 'lambdas/ciba', imports: ['lambdas/ciba', 'zod/mini', verifying, hashing] },
  {
    room: 'lambdas/ports.ts',
    imports: [],
    types: ['lambdas/ciba', { from: 'node:crypto', names: /^KeyObject$/ }],
  },
  // Every room of lambdas may import them.
  { room: 'lambdas/routes.ts', imports: [] },
  { room: 'lambdas/log.ts', imports: [] },
  { room: 'lambdas/endpoints', imports: ['lambdas/endpoints', ...protocolAtWork] },
  { room: 'lambdas/tasks', imports: ['lambdas/tasks', ...protocolAtWork] },
  {
    room: 'lambdas/http',
    imports: ['lambdas/http', 'lambdas/ciba', 'lambdas/ports.ts', 'lambdas/log.ts', 'zod/mini'],
  },
  {
    room: 'lambdas/aws',
    imports: [
      ...['lambdas/aws', 'lambdas/ciba', 'lambdas/ports.ts'],
      ...['@aws-sdk/*', 'zod/mini', 'jose', 'node:*'],
    ],
  },
  // The constructs import it: synth and the package would load whatever it imported.
  { room: 'lambdas/aws/formats.ts', imports: ['lambdas/ciba'] },
  {
    room: 'lambdas/handlers',
    imports: [
      ...['lambdas/handlers', 'lambdas/endpoints', 'lambdas/tasks', 'lambdas/http', 'lambdas/aws'],
      ...['lambdas/ciba', 'lambdas/ports.ts', 'lambdas/log.ts', 'lambdas/routes.ts'],
      ...['@aws-sdk/*', 'zod/mini', 'node:*'],
    ],
  },
  // The constructs take their types, and the declarations of the package hold whatever they import.
  {
    room: 'lambdas/handlers/environments',
    imports: ['lambdas/handlers/environments', 'lambdas/ciba', 'zod/mini'],
  },
  { room: 'lambdas/bundling', imports: ['lambdas/bundling', '@aws-sdk/*', 'node:*'] },
  // It may import lambdas/ciba, so that a bound is said once for synth and run time. Handlers are
  // named by path.
  {
    room: 'lib/stack',
    imports: [
      ...['lib/stack', 'lib/flows', 'lib/notification-templates', 'lib/decode-text.ts'],
      ...['lambdas/ciba', 'lambdas/aws/formats.ts', 'lambdas/routes.ts'],
      ...['aws-cdk-lib', 'constructs', 'cdk-nag', 'zod', 'node:*'],
    ],
    types: ['lambdas/handlers/environments'],
  },
  {
    room: 'lib/flows',
    imports: [
      'lib/flows',
      'lib/decode-text.ts',
      'lib/parse-json.ts',
      'lambdas/ciba',
      'zod/mini',
      'node:*',
    ],
  },
  {
    room: 'lib/notification-templates',
    imports: ['lib/notification-templates', 'lib/decode-text.ts', 'lambdas/ciba', 'node:*'],
  },
  { room: 'lib/decode-text.ts', imports: ['lambdas/ciba'] },
  // Whoever reads JSON may import it, and the local host imports nothing of lambdas.
  { room: 'lib/parse-json.ts', imports: [] },
  {
    room: 'lib/operator',
    imports: [
      ...['lib/operator', 'lib/notification-templates/compile.ts', 'lib/decode-text.ts'],
      ...['lambdas/aws', 'lambdas/ciba', 'lambdas/ports.ts', 'lambdas/routes.ts'],
      ...['@aws-sdk/*', 'commander', 'cli-progress', 'cli-table3', 'csv-parse/sync', 'yaml'],
      ...['pngjs', 'jpeg-js', 'open', 'jose', 'zod', 'node:*'],
    ],
  },
  // How anything is asked, printed and refused, whatever a command is about.
  {
    room: 'lib/operator/terminal',
    imports: ['lib/operator/terminal', 'cli-progress', 'cli-table3', 'node:*'],
  },
  // Thin: what a command does is in the other folders.
  { room: 'lib/operator/commands', imports: ['lib/operator', 'commander', 'zod', 'node:*'] },
  // Functions run from their bundles, as in AWS.
  {
    room: 'lib/local',
    imports: [
      ...['lib/local', 'lib/operator', 'lib/flows/flow-language.ts', 'lib/parse-json.ts'],
      ...['dynalite', 'aws-ses-v2-local', '@peculiar/*', '@aws-sdk/*', 'zod', 'node:*'],
      // The bundle that a worker is told to load.
      'settings.url',
    ],
  },
  // A stranger to the provider, as every relying party is.
  { room: 'lib/demo', imports: ['lib/demo', 'openid-client', 'node:http'] },
  { room: 'bin', imports: ['lib', 'node:*'] },
];
