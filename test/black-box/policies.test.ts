/**
 * Notification policies and flow policies from outside: how often a client may ask a user, what it
 * is told beyond that, and which mail another flow sends (threats T3, T6).
 */
import { describe, expect, it } from 'vitest';
import { decide, open } from './authentication-device.ts';
import { ask, errorOf, poll, start } from './consumption-device.ts';
import { mailOf, mailsTo } from './deployment.ts';
import { clients, users } from './directory.ts';

const refusal = {
  status: 403,
  error: 'access_denied',
  description: 'Too many requests. Try again later.',
};

describe('T3: the notification policy of a client', () => {
  it('P4: lets three requests wait for a user at the same time, two of one client, and refuses more with no mail', async () => {
    const { limited, alsoLimited } = clients;
    const requests = [];
    for (let index = 0; index < 2; index += 1) {
      requests.push(await start(limited, users.limited.username));
    }
    const refused = await ask(limited, users.limited.email);
    expect(errorOf(refused)).toEqual(refusal);
    // The correlation id begins with the public id of the refusal, under which the audit has it.
    expect(refused.body['error_description']).toMatch(/ \(Correlation ID: [a-z2-7]{26}\.[\w-]+\)$/);
    // A client at its share keeps no other from asking.
    requests.push(await start(alsoLimited, users.limited.username));
    expect(errorOf(await ask(alsoLimited, users.limited.email))).toEqual(refusal);
    for (const { ref } of requests) await mailOf(users.limited.email, ref);
    expect(await mailsTo(users.limited.email)).toHaveLength(3);
  });

  it('T6: refuses alike for a user who does not exist', async () => {
    const { limitedQuiet } = clients;
    const historyOf = async (login: string) => {
      const statuses = [];
      for (let index = 0; index < 5; index += 1) {
        const answer = await ask(limitedQuiet, login);
        statuses.push(answer.status === 200 ? 200 : errorOf(answer));
      }
      return statuses;
    };
    const known = await historyOf(users.limitedQuiet.username);
    expect(await historyOf('nobody-at-all')).toEqual(known);
    expect(known).toEqual([200, 200, refusal, refusal, refusal]);
  });

  it('makes a client wait that a user has denied twice', async () => {
    const { limited, basic } = clients;
    for (let denial = 0; denial < 2; denial += 1) {
      const { authReqId, ref } = await start(limited, users.denying.username);
      await decide((await mailOf(users.denying.email, ref)).link, 'deny');
      expect(errorOf(await poll(limited, authReqId))).toMatchObject({ error: 'access_denied' });
    }
    expect(errorOf(await ask(limited, users.denying.username))).toEqual(refusal);
    expect((await ask(basic, users.denying.username)).status).toBe(200);
  });
});

describe('T4: the page of a request', () => {
  it('P7: tells of the other requests that wait, whatever the policies of their clients', async () => {
    const { basic, limited } = clients;
    for (const [index, client] of [basic, limited, basic].entries()) {
      const { ref } = await start(client, users.waitedFor.username);
      const { html } = await open((await mailOf(users.waitedFor.email, ref)).link);
      const told = /class="others">([^<]*)/.exec(html)?.[1];
      expect(told === undefined ? 0 : Number(/\d+/.exec(told)?.[0] ?? 1)).toBe(index);
    }
  });
});

describe('the flow policy of a client', () => {
  it('sends the generic mail by the flow ciba-generic-mail-flow, and the message is on the page alone', async () => {
    const binding_message = 'PUMP-4 50.00 EUR';
    const { ref } = await start(clients.genericMail, users.flows.username, { binding_message });
    const mail = await mailOf(users.flows.email, ref);
    expect(mail.raw).not.toContain(binding_message);
    expect((await open(mail.link)).html).toContain(binding_message);
  });
});
