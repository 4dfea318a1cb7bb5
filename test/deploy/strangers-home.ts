/**
 * A home folder with settings that would lead a run astray, as a person may have them: whoever
 * reads or writes anything there is found out.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** An account that no run deploys to. */
const otherAccount = '123456789012';

/** What lies in the folder, by path. */
function files(accessKeyId: string): Record<string, string> {
  return {
    '.cdk/cache/accounts_partitions.json': JSON.stringify({
      [accessKeyId]: { accountId: otherAccount, partition: 'aws' },
    }),
    '.cdk.json': JSON.stringify({ context: { senderName: '' }, profile: 'stranger' }),
    '.aws/config': '[default]\nregion = eu-north-1\n[profile stranger]\nregion = eu-north-1\n',
    '.aws/credentials': '[default]\naws_access_key_id = stranger\naws_secret_access_key = x\n',
    '.npmrc': 'script-shell=/nonexistent\n',
  };
}

/** Variables of such a person. */
const variables = {
  AWS_PROFILE: 'stranger',
  AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
  AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:9',
  CDK_CONTEXT_JSON: '{"senderName":""}',
  CIBA_CLIENT_SECRET: 'of-another-client',
};

/** Makes the folder, and gives this process the home and the variables of that person. */
export async function moveToStranger(home: string, accessKeyId: string): Promise<void> {
  for (const [path, text] of Object.entries(files(accessKeyId))) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }
  Object.assign(process.env, variables, { HOME: home });
}

/** @throws an error that names them if files were changed, removed or left there */
export async function assertUntouched(home: string, accessKeyId: string): Promise<void> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    found[path.slice(home.length + 1)] = await readFile(path, 'utf8');
  }
  const right = files(accessKeyId);
  const all = Object.keys({ ...right, ...found });
  const touched = all.filter((path) => right[path] !== found[path]);
  if (touched.length > 0) throw new Error(`changed in the home folder: ${touched.join(', ')}`);
}
