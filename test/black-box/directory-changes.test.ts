/**
 * What is registered counts when tokens are issued, not when the request was made: client and user are read again at
 * redemption. The cases change one client and one user of their own, and leave the directory as it was.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { decide, open, submit } from './authentication-device.ts';
import { ask, errorOf, poll, start } from './consumption-device.ts';
import { applyDirectory, directoryControl, mailOf } from './deployment.ts';
import { clients, directory, users } from './directory.ts';

const { changing: client } = clients;
const { changing: user } = users;

/** The suite's directory with changes to one client and one user. */
function directoryWith(changes: { client?: object; user?: object }): object {
  return {
    clients: directory.clients.map((entry) =>
      entry.client_id === client.client_id ? { ...entry, ...changes.client } : entry,
    ),
    users: directory.users.map((entry) =>
      entry.sub === user.sub ? { ...entry, ...changes.user } : entry,
    ),
  };
}

async function mailed() {
  const request = await start(client, user.username, { scope: 'openid profile' });
  const { link } = await mailOf(user.email, request.ref);
  return { ...request, link };
}

describe.skipIf(directoryControl === undefined)('between approval and redemption', () => {
  afterAll(() => applyDirectory(directory));

  it.each<[string, object, object]>([
    ['the user is disabled', { user: { enabled: false } }, { status: 400, error: 'access_denied' }],
    [
      'the mail address is no longer verified',
      { user: { email_verified: false } },
      { status: 400, error: 'access_denied' },
    ],
    [
      'the mail address is another',
      { user: { email: 'changed@example.com' } },
      { status: 400, error: 'access_denied' },
    ],
    [
      'the client loses a granted scope',
      { client: { scope: 'openid email' } },
      { status: 400, error: 'access_denied' },
    ],
    [
      'the client loses the grant',
      { client: { grant_types: ['refresh_token'] } },
      { status: 400, error: 'unauthorized_client' },
    ],
  ])('%s: no tokens', async (_change, changes, refusal) => {
    await applyDirectory(directory);
    const { authReqId, link } = await mailed();
    await decide(link, 'approve');
    await applyDirectory(directoryWith(changes));
    expect(errorOf(await poll(client, authReqId))).toMatchObject(refusal);
  });

  it('the user gets another mail address before deciding: the old mail approves nothing (T9)', async () => {
    await applyDirectory(directory);
    const { authReqId, link } = await mailed();
    const page = await open(link);
    await applyDirectory(directoryWith({ user: { email: 'changed@example.com' } }));
    expect((await submit(link, page, 'approve')).status).toBe(410);
    expect(errorOf(await poll(client, authReqId))).toMatchObject({
      error: 'authorization_pending',
    });
  });

  it('a user who is disabled is unknown from then on, and known again when enabled', async () => {
    await applyDirectory(directoryWith({ user: { enabled: false } }));
    expect(errorOf(await ask(client, user.username))).toMatchObject({ error: 'unknown_user_id' });
    await applyDirectory(directory);
    expect((await ask(client, user.username)).status).toBe(200);
  });
});
