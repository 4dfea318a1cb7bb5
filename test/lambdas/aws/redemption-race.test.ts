/**
 * Exactly one token set per approved request (CIBA Core 10.1.1, threats T8): the real token
 * endpoint over the real adapters on dynalite, 64 polls at the same moment, 50 times; RACE_ROUNDS
 * and RACE_POLLS set others.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientDirectory, userDirectory } from '../../../lambdas/aws/directory-table.ts';
import { generateSigningKey } from '../../../lambdas/aws/generate-signing-key.ts';
import { keyStore, tokenSigner, wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import { requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { usedTokenIds } from '../../../lambdas/aws/used-token-ids.ts';
import { CIBA_GRANT_TYPE } from '../../../lambdas/ciba/client/client.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { tokenEndpoint } from '../../../lambdas/endpoints/token.ts';
import { runtime } from '../../../lambdas/handlers/runtime.ts';
import { rotateKeysTask } from '../../../lambdas/tasks/rotate-keys.ts';
import { applyDirectory } from '../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { EXAMPLE_NOW, EXAMPLE_SECRET, exampleRequest } from '../../support/example-request.ts';
import { addWrappingKey } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 50);
const POLLS = Number(process.env['RACE_POLLS'] ?? 64);
const clientSecret = 'a secret of the race tests, 32 or more';
const linkNonce = 'n'.repeat(22);
const clock = () => EXAMPLE_NOW + 10;

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
});
afterAll(() => tables.stop());

it(`T8: ${ROUNDS} rounds of ${POLLS} parallel polls of an approved request are answered with one 200 each`, {
  timeout: 600_000 + ROUNDS * POLLS * 20,
}, async () => {
  const { client } = tables;
  const directory = parseDirectory({
    clients: [
      {
        client_id: 'pump-4',
        client_name: 'Fuel & Go, Pump 4',
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    users: [
      { sub: 'u-alice', username: 'alice', email: 'alice@example.com', email_verified: true },
    ],
  });
  await applyDirectory({
    client,
    tableName: 'directory',
    keysTableName: 'keys',
    directory,
    prune: false,
  });
  const log = () => {};
  await rotateKeysTask({
    ...runtime,
    clock: () => EXAMPLE_NOW,
    log,
    keys: keyStore(client, 'keys', 'directory'),
    generateSigningKey,
    periodSeconds: 86_400,
  })({ rotate: 'when-due' });
  const users = userDirectory(client, 'directory');
  const contactVersion = (await users.findUser('u-alice'))?.contact_version ?? 0;
  const requests = requestsTable(client, 'requests');
  const endpoint = tokenEndpoint({
    ...runtime,
    clock,
    log,
    issuer: 'https://ciba.example',
    accessTokenAudience: 'https://ciba.example',
    requests,
    clients: clientDirectory(client, 'directory', clock),
    users,
    signer: tokenSigner(client, 'keys', clock),
    wrappingKeys: wrappingKeys(client, 'keys', clock),
    usedTokenIds: usedTokenIds(client, 'requests', { ...runtime, clock }),
  });

  for (let round = 0; round < ROUNDS; round += 1) {
    const { ref } = await approve(contactVersion);
    const answers = await Promise.all(Array.from({ length: POLLS }, () => endpoint(poll(ref))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(POLLS - 1);
  }

  async function approve(contactVersion: number) {
    const request = exampleRequest({ contactVersion, secretHash: hashSecret(EXAMPLE_SECRET) });
    const { ref } = request;
    await requests.create(request);
    await requests.claimMail({
      ref,
      claimId: 'c',
      linkNonce,
      now: EXAMPLE_NOW,
      until: EXAMPLE_NOW + 15,
    });
    await requests.decide({
      ref,
      decision: 'approve',
      linkNonce,
      contactVersion,
      now: EXAMPLE_NOW + 5,
    });
    return request;
  }
});

function poll(ref: string): Request {
  return new Request('https://ciba.example/token', {
    method: 'POST',
    body: new URLSearchParams({
      client_id: 'pump-4',
      client_secret: clientSecret,
      grant_type: CIBA_GRANT_TYPE,
      auth_req_id: `${ref}.${EXAMPLE_SECRET}`,
    }),
  });
}
