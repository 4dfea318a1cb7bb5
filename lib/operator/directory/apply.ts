/**
 * Writes a directory into the deployment's table, planned and applied without asking, as tests and
 * the local host do. Applying the same directory twice changes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { applyPlan, type GeneratedSecret } from './carry-out-plan.ts';
import { planDirectory } from './make-plan.ts';
import type { Directory } from './registration/directory.ts';

interface DirectoryToApply {
  client: DynamoDBClient;
  tableName: string;
  /**
   * The table of keys, under which client secrets are stored; only clients with a secret need it.
   */
  keysTableName: string | undefined;
  directory: Directory;
  /** Whether clients and users that the directory does not name are removed. */
  prune: boolean;
}

/**
 * Applies a directory. A fault leaves the entries before it applied, and applying again goes on.
 * @throws OperatorError if a login belongs to another user, or somebody else is changing the same
 * entry
 */
export async function applyDirectory(
  options: DirectoryToApply,
): Promise<{ generatedSecrets: GeneratedSecret[] }> {
  const { client, tableName, keysTableName, directory, prune } = options;
  const clock = () => Date.now() / 1000;
  const store = { client, tableName, keysTableName, clock, pause: sleep };
  const plan = await planDirectory(store, directory, { prune });
  const { generatedSecrets, fault } = await applyPlan(store, plan);
  if (fault !== undefined) throw fault;
  return { generatedSecrets };
}
