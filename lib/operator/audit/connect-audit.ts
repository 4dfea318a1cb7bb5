/** The audit of a deployment, and what is looked up beside it. */
import * as z from 'zod/mini';
import type { Client } from '../../../lambdas/ciba/client/client.ts';
import type { User } from '../../../lambdas/ciba/user/user.ts';
import type { RevokeOutcome } from '../../../lambdas/ports.ts';
import { callFunction } from '../deployment/call-function.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { findClient, findUser, type UserTable } from '../directory/find-user.ts';
import { notFound } from '../terminal/operator-error.ts';
import { type AuditEntry, type Audited, auditEntry } from './audit-entry.ts';
import { type AuditTable, auditTable } from './audit-table.ts';

export function openAudit({ clients, output }: Deployment): AuditTable {
  return auditTable(clients.dynamodb, output('RequestsTable'));
}

export function usersOf({ clients, output }: Deployment): UserTable {
  return { dynamodb: clients.dynamodb, directoryTable: output('DirectoryTable') };
}

/**
 * One request as it is now: what is stored, its entry, and its client and user if they are there
 * still and may be read.
 */
export interface FoundRequest {
  audited: Audited;
  entry: AuditEntry;
  client: Client | undefined;
  user: User | undefined;
}

/** @throws OperatorError if there is no such request */
export async function findRequest(
  deployment: Deployment,
  ref: string,
  now: number,
): Promise<FoundRequest> {
  const audited = await openAudit(deployment).find(ref);
  if (!audited) {
    throw notFound(
      `No request ${ref}: never asked in the stack ${deployment.stackName}, or longer ago than the audit is kept (setting auditRetentionDays)`,
    );
  }
  const entry = auditEntry(audited, now);
  const table = usersOf(deployment);
  const [client, user] = await Promise.all([
    findClient(table, entry.clientId),
    entry.sub === undefined ? undefined : findUser(table, entry.sub),
  ]);
  return { audited, entry, client, user };
}

const revocation = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['not_found', 'no_refresh_token']) }),
  z.object({ outcome: z.enum(['revoked', 'revoked_before']), revokedAt: z.number() }),
]);

/**
 * Ends the refresh token of a request for good, through the function that alone may write it;
 * access tokens that are out last their hour.
 * @throws OperatorError with what the function said if it failed
 */
export function revokeRefreshToken(
  { clients, output }: Deployment,
  ref: string,
): Promise<RevokeOutcome> {
  return callFunction(clients.lambda, {
    functionName: output('RevokeRefreshTokenFunction'),
    does: 'ends refresh tokens',
    input: { ref },
    answer: revocation,
  });
}
