/**
 * Applies a directory file to a deployment: `npm run apply -- --table NAME --keys-table NAME --file FILE`. The tables are
 * the stack's outputs DirectoryTable and KeysTable; AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL say where it is, as for every AWS tool.
 */
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { applyDirectory } from '../lib/operator/apply-directory.ts';
import { DirectoryError, readDirectoryFile } from '../lib/operator/directory-file.ts';

const usage =
  'npm run apply -- --table NAME [--keys-table NAME] --file FILE   (stack outputs DirectoryTable and KeysTable; the second is for client_secret_jwt)';

try {
  const { table, keysTable, file } = readOptions();
  const directory = await readDirectoryFile(file);
  // The SDK warns of Node versions to come.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const client = new DynamoDBClient();
  const { generatedSecrets } = await applyDirectory({
    client,
    tableName: table,
    keysTableName: keysTable,
    directory,
    prune: false,
  });
  console.log(`Applied ${directory.clients.length} clients and ${directory.users.length} users.`);
  for (const { client_id, client_secret } of generatedSecrets) {
    console.log(`Secret of ${client_id}, shown this once: ${client_secret}`);
  }
} catch (error) {
  console.error(describe(error));
  process.exitCode = error instanceof DirectoryError ? 1 : 2;
}

/** What AWS said where it is AWS's fault: the adapter's own text is meant for clients of the provider. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return error.cause instanceof Error ? `DynamoDB: ${error.cause.message}` : error.message;
}

function readOptions(): { table: string; keysTable: string | undefined; file: string } {
  const { values } = parseArgs({
    options: {
      table: { type: 'string' },
      'keys-table': { type: 'string' },
      file: { type: 'string' },
    },
  });
  if (values.table === undefined || values.file === undefined) throw new Error(usage);
  return { table: values.table, keysTable: values['keys-table'], file: values.file };
}
