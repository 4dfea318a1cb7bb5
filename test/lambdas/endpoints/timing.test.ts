/**
 * What the time of an answer tells (threats T6, T14): a thousand requests of one kind against as
 * many of the other, over the real adapters on dynalite, by the processor's time, which other
 * programs leave as it is. An area of 0.5 is nothing, 0.55 the most that is allowed.
 */

import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clientDirectory,
  publicKeys,
  userDirectory,
} from '../../../lambdas/aws/directory-table.ts';
import { wrappingKeys } from '../../../lambdas/aws/keys-table.ts';
import { notificationQuotas } from '../../../lambdas/aws/notification-quotas.ts';
import { requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { usedTokenIds } from '../../../lambdas/aws/used-token-ids.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { backchannelAuthenticationEndpoint } from '../../../lambdas/endpoints/backchannel-authentication.ts';
import { paddingBy, runtime } from '../../../lambdas/handlers/runtime.ts';
import { applyDirectory } from '../../../lib/operator/directory/apply.ts';
import { parseDirectory } from '../../../lib/operator/directory/directory-file.ts';
import { exampleClientSecret } from '../../support/example-directory.ts';
import { plainPolicies } from '../../support/in-memory-quotas.ts';
import { processorTime } from '../../support/processor-time.ts';
import { formRequest, issuer } from '../../support/provider-in-memory.ts';
import { addWrappingKey } from '../../support/stored-secrets.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';
import { areaUnderCurve, timeInRounds } from '../../support/timing-classifier.ts';

const SAMPLES = 1000;
const WARM_UP = 50;
const MOST = 0.55;

const wrong = 'x'.repeat(exampleClientSecret.length);

let tables: TestTables;
let authorize: (request: Request) => Promise<Response>;
/**
 * Narrower than the narrowest of the product, in seconds, so that a thousand answers take no
 * minutes.
 */
const STEP = 0.006;
/** A clock that stands still while the process sleeps has to be run down. */
const startPadding = paddingBy(
  () => processorTime() / 1000,
  async () => {},
);
let asked = 0;

beforeAll(async () => {
  tables = await tablesOnDynalite();
  const { client } = tables;
  await addWrappingKey(tables, 'first');
  const user = (name: string, changes: object = {}) => ({
    sub: `u-${name}`,
    username: name,
    email: `${name}@example.com`,
    email_verified: true,
    ...changes,
  });
  await applyDirectory({
    client,
    tableName: 'directory',
    keysTableName: 'keys',
    prune: false,
    directory: parseDirectory({
      clients: [
        {
          client_id: 'pump-4',
          client_name: 'Pump 4',
          client_secret: exampleClientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
          unknown_user: 'decoy',
        },
      ],
      users: [user('alice'), user('bobby', { enabled: false })],
    }),
  });
  authorize = backchannelAuthenticationEndpoint({
    ...runtime,
    startPadding: () => {
      const padTo = startPadding();
      return (step) => padTo(Math.min(step, STEP));
    },
    log: () => {},
    issuer,
    settings: {
      defaultExpiresIn: 120,
      minExpiresIn: 10,
      maxExpiresIn: 600,
      defaultInterval: 2,
      auditRetention: 86_400,
      ...plainPolicies,
      // Counted, and never reached.
      notificationPolicies: {
        byDefault: 'counted',
        policies: { counted: { mailsPerUserPerDay: 1e9, mailsPerDay: 1e9 } },
      },
    },
    requests: requestsTable(client, 'requests'),
    quotas: notificationQuotas(client, 'requests', {
      // Each time somebody else: nobody is asked three thousand times within a minute.
      names: {
        async nameOf(addressee) {
          asked += 1;
          return hashSecret(JSON.stringify([addressee, asked]));
        },
      },
      requests: requestsTable(client, 'requests'),
      draw: randomInt,
      unrepeated: client,
    }),
    clients: clientDirectory(client, 'directory', runtime.clock),
    users: userDirectory(client, 'directory'),
    keys: publicKeys(client, 'directory'),
    wrappingKeys: wrappingKeys(client, 'keys', runtime.clock),
    usedTokenIds: usedTokenIds(client, 'requests', runtime),
    flow: { start: async () => {} },
  });
});
afterAll(() => tables.stop());

/** A request that is answered so. */
function ask(status: number, login_hint: string, secret = exampleClientSecret) {
  return async () => {
    const form = { scope: 'openid', login_hint };
    const answer = await authorize(formRequest('/cibaAuthorization', form, 'pump-4', secret));
    if (answer.status !== status) throw new Error(`answered ${answer.status}`);
  };
}

/** Each time another client, whom nobody knows. */
function askAsNobody() {
  let serial = 0;
  return async () => {
    serial += 1;
    const form = { scope: 'openid', login_hint: 'alice' };
    await authorize(formRequest('/cibaAuthorization', form, `nobody-${serial}`, wrong));
  };
}

async function timed(runs: (() => Promise<unknown>)[]): Promise<number[][]> {
  await timeInRounds(WARM_UP, runs);
  return timeInRounds(SAMPLES, runs);
}

function judge(what: string, ones: number[] = [], others: number[] = []): void {
  const area = areaUnderCurve(ones, others);
  process.stdout.write(
    `${what}: area ${area.toFixed(3)}, ${ones.length} against ${others.length}\n`,
  );
  expect([what, area <= MOST]).toEqual([what, true]);
}

describe('the time of an answer does not tell', { tags: ['timing'] }, () => {
  it('of a wrong secret from that of an unknown client', async () => {
    const refused = await timed([ask(401, 'alice', wrong), askAsNobody()]);
    judge('wrong secret and unknown client', refused[0], refused[1]);
  });

  it('of a known user from that of an unknown and of a disabled one', async () => {
    const answered = await timed([ask(200, 'alice'), ask(200, 'carol'), ask(200, 'bobby')]);
    judge('known and unknown user', answered[0], answered[1]);
    judge('known and disabled user', answered[0], answered[2]);
  });

  it('and the classifier sees a tenth of a millisecond', async () => {
    const wait = (milliseconds: number) => async () => {
      const end = processorTime() + milliseconds;
      while (processorTime() < end);
    };
    const [ones = [], others = []] = await timeInRounds(300, [wait(0.5), wait(0.6)]);
    expect(areaUnderCurve(ones, others)).toBeGreaterThan(0.9);
  });
});
