/**
 * What limits say of a user, by client, and how an operator lifts it: as the function that counts
 * has it stored.
 */
import * as z from 'zod/mini';
import {
  askedKey,
  HISTORY_ATTEMPTS,
  readByRef,
  readHistory,
  replaceHistory,
  type VersionedHistory,
} from '../../../lambdas/aws/asked-users-table.ts';
import type { DynamoTable } from '../../../lambdas/aws/dynamo-table.ts';
import { directoryKey } from '../../../lambdas/aws/formats.ts';
import { requestItems, requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { storedClient } from '../../../lambdas/ciba/client/client.ts';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { nameOfUser } from '../../../lambdas/ciba/policy/asked-users.ts';
import {
  type AskedHistory,
  type NotificationPolicy,
  notificationPolicies,
  policyOf,
  type RequestsByRef,
} from '../../../lambdas/ciba/policy/notification-policy.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { OperatorError } from '../terminal/operator-error.ts';
import { type DirectoryStore, directoryTable } from './directory-items.ts';
import { type ClientLimits, liftLimits, limitsOfUser } from './limits-of-user.ts';

/** How a client stands with a user, and the policy that it goes by. */
export interface ShownLimits extends ClientLimits {
  policy: NotificationPolicy;
}

/** Of each client that has asked for the user as long as any limit looks back. */
export async function readLimits(
  deployment: Deployment,
  store: DirectoryStore,
  sub: string,
): Promise<ShownLimits[]> {
  return (await look(deployment, store, sub)).limits;
}

/**
 * Lifts what counts against the limits of one client, or of all, for one user, in one atomic step,
 * and answers what that was; nothing if there was none. Whoever asks at the same moment is counted
 * before or after it. Requests stay as they are.
 * @throws OperatorError if others keep changing the same
 */
export async function clearLimits(
  deployment: Deployment,
  store: DirectoryStore,
  { sub, clientId }: { sub: string; clientId?: string | undefined },
): Promise<ShownLimits[]> {
  const table = requestsOf(deployment);
  let tried: ShownLimits[] = [];
  for (let attempt = 0; attempt < HISTORY_ATTEMPTS; attempt += 1) {
    const now = store.clock();
    const { history, version, requests, limits } = await look(deployment, store, sub);
    const lifted = limits.filter((one) => isLifted(one, clientId));
    // A write whose answer was lost has left nothing to lift.
    if (!history || lifted.length === 0) return tried;
    tried = lifted;
    const next = liftLimits(history, requests, now, clientId);
    if (await replaceHistory(table, keyOf(sub), next, { version, now })) return lifted;
  }
  throw new OperatorError(`User ${sub} is asked too often right now: run it again`);
}

/** Removes all that limits count of a user, by whichever client, if there is anything. */
export async function removeHistory(deployment: Deployment, sub: string): Promise<void> {
  await requestsOf(deployment).remove(keyOf(sub), { condition: 'attribute_exists(#ref)' });
}

function isLifted(limits: ShownLimits, clientId: string | undefined): boolean {
  if (clientId !== undefined && limits.clientId !== clientId) return false;
  return limits.lastMinute + limits.today + limits.pending + limits.denials > 0;
}

function requestsOf({ clients, output }: Deployment): DynamoTable {
  return requestItems(clients.dynamodb, output('RequestsTable'));
}

function keyOf(sub: string): string {
  return askedKey(nameOfUser(sub));
}

interface Looked extends VersionedHistory {
  requests: RequestsByRef;
  limits: ShownLimits[];
}

async function look(deployment: Deployment, store: DirectoryStore, sub: string): Promise<Looked> {
  const table = requestsOf(deployment);
  const { history, version } = await readHistory(table, keyOf(sub));
  if (!history) return { history, version, requests: new Map(), limits: [] };
  const requests = await readByRef(
    requestsTable(deployment.clients.dynamodb, deployment.output('RequestsTable')),
    history.recent.map(({ ref }) => ref),
  );
  const policies = await policiesOf(deployment, store, history);
  const policy = (clientId: string) => policies.get(clientId) ?? {};
  const limits = limitsOfUser(history, requests, store.clock(), policy);
  return {
    history,
    version,
    requests,
    limits: limits.map((one) => ({ ...one, policy: policy(one.clientId) })),
  };
}

/**
 * The policy of each client in a history; one that is registered no more goes by the default one.
 */
async function policiesOf(
  deployment: Deployment,
  store: DirectoryStore,
  { recent, mailsOf }: AskedHistory,
): Promise<Map<string, NotificationPolicy>> {
  const policies = readPolicies(deployment);
  const directory = directoryTable(store);
  const clientIds = new Set([...recent, ...mailsOf].map(({ clientId }) => clientId));
  return new Map(
    await Promise.all(
      [...clientIds].map(async (clientId) => {
        const item = await directory.read(directoryKey.client(clientId));
        const named = item && storedClient.parse(item).notification_policy;
        return [clientId, policyOf(policies, named)] as const;
      }),
    ),
  );
}

const json = z.pipe(
  z.string(),
  z.transform((text): unknown => parseStrictJson(text)),
);

/** @throws OperatorError if the stack is older than its policies */
function readPolicies({ output }: Deployment) {
  return notificationPolicies.parse({
    byDefault: output('NotificationPolicy'),
    policies: json.parse(output('NotificationPolicies')),
  });
}
