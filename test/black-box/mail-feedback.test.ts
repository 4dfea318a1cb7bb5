/**
 * Mails that SES accepts and that do not arrive: the request fails and its user is not asked again.
 * The recipient is SES's own mailbox simulator, so the cases are the same on an account, where
 * nobody reads these mails. Each needs a user of whose address nothing is noted.
 */
import { describe, expect, it, vi } from 'vitest';
import { ask, errorOf, poll, start } from './consumption-device.ts';
import { tellsOfMails } from './deployment.ts';
import { clients, users } from './directory.ts';

const { quiet, basic } = clients;

/** On an account the news takes some seconds. */
const NEWS_TIMEOUT = 60_000;

describe.skipIf(!tellsOfMails)('F10: a mail', { tags: ['ses-events'] }, () => {
  it.each([
    ['that bounces', users.bouncing],
    ['that its recipient calls spam', users.complaining],
    ['to an address that SES suppresses', users.suppressed],
  ])(
    '%s fails its request, and the user is asked no more',
    { timeout: NEWS_TIMEOUT * 2 },
    async (_what, user) => {
      const { authReqId, interval } = await start(quiet, user.username);
      await vi.waitFor(
        async () => {
          const { status, body } = await poll(quiet, authReqId);
          expect([status, body['error']]).toEqual([400, 'access_denied']);
        },
        { timeout: NEWS_TIMEOUT, interval: interval * 1000 },
      );
      expect(errorOf(await ask(basic, user.username))).toMatchObject({ error: 'unknown_user_id' });
      expect(errorOf(await ask(basic, user.email))).toMatchObject({ error: 'unknown_user_id' });
      // T6: a client that is not told of unknown users is not told of this one either.
      expect((await ask(quiet, user.username)).status).toBe(200);
    },
  );
});
