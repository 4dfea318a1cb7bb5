/**
 * What is registered counts when tokens are issued, not when the request was made: client and user
 * are read again at redemption; and a logo that is registered is shown, until it is another or
 * none. The cases change one client and one user of their own, and leave the directory as it was.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { decide, imagesOf, open, submit } from './authentication-device.ts';
import { ask, errorOf, poll, post, start } from './consumption-device.ts';
import { applyDirectory, directoryControl, issuer, mailOf } from './deployment.ts';
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

describe.skipIf(directoryControl === undefined)('P8: after the redemption', () => {
  afterAll(() => applyDirectory(directory));

  const scope = 'openid email offline_access';
  const grant = 'urn:openid:params:grant-type:ciba';
  const invalid = { status: 400, error: 'invalid_grant' };
  const removed = {
    clients: directory.clients,
    users: directory.users.filter(({ sub }) => sub !== user.sub),
  };

  async function redeemed(): Promise<string> {
    const { authReqId, ref } = await start(client, user.username, { scope });
    const { link } = await mailOf(user.email, ref);
    await decide(link, 'approve');
    return String((await poll(client, authReqId)).body['refresh_token']);
  }

  const refresh = (refresh_token: string) =>
    post('/token', client, { grant_type: 'refresh_token', refresh_token });

  it.each<[string, object, object | string]>([
    ['the user is disabled', directoryWith({ user: { enabled: false } }), invalid],
    ['the user is removed', removed, invalid],
    [
      'the mail address is no longer verified',
      directoryWith({ user: { email_verified: false } }),
      invalid,
    ],
    [
      'the mail address is another',
      directoryWith({ user: { email: 'changed@example.com' } }),
      invalid,
    ],
    ['the user has another name', directoryWith({ user: { name: 'Changed' } }), scope],
    [
      'the client is disabled',
      directoryWith({ client: { enabled: false } }),
      { error: expect.stringMatching(/^(?:invalid_client|unauthorized_client)$/) },
    ],
    [
      'the client loses the CIBA grant',
      directoryWith({ client: { grant_types: ['refresh_token'] } }),
      scope,
    ],
    [
      'the client loses the refresh grant',
      directoryWith({ client: { grant_types: [grant] } }),
      { status: 400, error: 'unauthorized_client' },
    ],
    [
      'P27: the client loses a granted scope',
      directoryWith({ client: { scope: 'openid profile offline_access' } }),
      'openid offline_access',
    ],
  ])('%s: a refresh', async (_change, changed, expected) => {
    await applyDirectory(directory);
    const refreshToken = await redeemed();
    await applyDirectory(changed);
    const answer = await refresh(refreshToken);
    if (typeof expected === 'string') expect(answer.body).toMatchObject({ scope: expected });
    else expect(errorOf(answer)).toMatchObject(expected);
  });

  it.each([
    ['removed and made anew', removed],
    ['reached elsewhere for a while', directoryWith({ user: { email: 'changed@example.com' } })],
  ])('a user who is %s is another one to a refresh token of before', async (_what, changed) => {
    await applyDirectory(directory);
    const refreshToken = await redeemed();
    await applyDirectory(changed);
    await applyDirectory(directory);
    expect(errorOf(await refresh(refreshToken))).toMatchObject(invalid);
    expect((await refresh(await redeemed())).status).toBe(200);
  });
});

describe.skipIf(directoryControl === undefined)('T31: a logo that changes', () => {
  afterAll(() => applyDirectory(directory));

  const png = clients.branded.logo_uri;
  const gif = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

  /** Where the logo is that the page shows, with this one registered. */
  async function register(logo_uri: string | undefined): Promise<string | undefined> {
    await applyDirectory(directoryWith({ client: { logo_uri } }));
    const [source] = imagesOf(await open((await mailed()).link));
    return source && new URL(source, issuer).href;
  }

  it('has another address at once, and is gone with its registration', async () => {
    const before = String(await register(png));
    const after = String(await register(gif));
    expect(after).not.toBe(before);
    expect((await fetch(after)).headers.get('content-type')).toBe('image/png');
    // Whoever opened the page a moment ago still asks for this one.
    expect((await fetch(before)).status).toBe(200);
    expect(await register(undefined)).toBeUndefined();
    expect((await fetch(after)).status).toBe(404);
    expect((await fetch(before)).status).toBe(404);
  });

  it.each([
    ['at an address elsewhere', 'https://client.example/logo.png'],
    ['that is a page', `data:image/png;base64,${btoa('<!doctype html><script>x()</script>')}`],
    ['that cannot be drawn', `data:image/png;base64,${btoa('\x89PNG\r\n\x1a\n')}`],
  ])('is refused %s, and nothing changes', async (_what, logo_uri) => {
    const before = await register(png);
    await expect(register(logo_uri)).rejects.toThrow('logo_uri: ');
    const [source = ''] = imagesOf(await open((await mailed()).link));
    expect(new URL(source, issuer).href).toBe(before);
  });
});
