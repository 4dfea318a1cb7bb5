/**
 * Every fault of every call (failure modes F2 to F5, F8, F9, F11, F14): on each of the paths each
 * call of DynamoDB is refused, refused once, applied with its answer lost once or for good, or
 * overtaken by the same path run by somebody else; then everybody goes on as they would. Nothing is
 * lost, nothing is doubled, no approval is burned.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { userDirectory } from '../../lambdas/aws/directory-table.ts';
import { requestsTable } from '../../lambdas/aws/requests-table.ts';
import { CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE } from '../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../lambdas/ciba/client/client-assertion.ts';
import { clearUndeliverable } from '../../lib/operator/directory/clear-undeliverable.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { generateClientKey, signJwt } from '../support/example-jwts.ts';
import { formTokenOf } from '../support/provider-in-memory.ts';
import { bounce, sesEvent } from '../support/ses-events.ts';
import {
  startWatchedProvider,
  type WatchedProvider,
  watchedIssuer,
} from '../support/watched-provider.ts';

const pair = generateClientKey('ES256', { kid: 'k1' });
const registered = {
  client_name: 'Pump 4',
  grant_types: [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE],
  scope: 'openid offline_access',
  id_token_signed_response_alg: 'ES256',
};
const client_secret = 'the secret of a client that meets every fault';
const directory = parseDirectory({
  clients: [
    {
      ...registered,
      client_id: 'post',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...registered,
      client_id: 'code',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
      confirmation_level: 'code',
    },
    {
      ...registered,
      client_id: 'key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [pair.jwk] },
    },
  ],
  users: [{ sub: 'u-alice', username: 'alice', email: 'alice@example.com', email_verified: true }],
});

/** What can become of one call. */
const faults = ['refused', 'refused once', 'answer lost once', 'answer lost', 'overtaken'] as const;
type Fault = (typeof faults)[number];

/**
 * Of a second engine those tell most: it meets a repeated write, and one that another has
 * overtaken. Five minutes take no more.
 */
const met = process.env['TEST_DYNAMODB_ENGINE']
  ? faults.filter((fault) => fault === 'answer lost once' || fault === 'overtaken')
  : faults;

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

type ClientId = 'post' | 'key' | 'code';

const bindingMessage = 'Pump 4';

/** One provider, its client, its user, and what they have got. */
class Story {
  readonly provider: WatchedProvider;
  readonly client: ClientId;
  authReqId = '';
  link = '';
  formToken = '';
  refreshToken = '';
  tokenSets = 0;

  constructor(provider: WatchedProvider, client: ClientId) {
    this.provider = provider;
    this.client = client;
  }

  async post(path: string, parameters: Record<string, string>): Promise<Answer> {
    const body = new URLSearchParams({ ...parameters, ...this.#credentials() });
    const request = new Request(watchedIssuer + path, { method: 'POST', body });
    const { status, text } = await this.provider.send(request);
    const [headers = '', json = ''] = text.split(/\n(.*)/s);
    return { status, headers: new Headers(JSON.parse(headers)), body: JSON.parse(json) };
  }

  #credentials(): Record<string, string> {
    if (this.client !== 'key') return { client_id: this.client, client_secret };
    const { at } = this.provider.now;
    const claims = {
      iss: 'key',
      sub: 'key',
      aud: watchedIssuer,
      exp: at + 60,
      jti: randomUUID(),
    };
    return {
      client_assertion_type: CLIENT_ASSERTION_TYPE,
      client_assertion: signJwt({ alg: 'ES256' }, claims, pair.privateKey),
    };
  }

  async ask(): Promise<string> {
    const request = {
      scope: 'openid offline_access',
      login_hint: 'alice',
      binding_message: bindingMessage,
    };
    const answer = await this.post('/cibaAuthorization', request);
    if (answer.status === 200) this.authReqId = String(answer.body['auth_req_id']);
    return told(answer);
  }

  async notify(): Promise<string> {
    await this.provider.runFlows();
    this.link = linksOf(this.provider).find((link) => link.includes(this.ref)) ?? this.link;
    return this.link === '' ? 'no mail' : 'mail';
  }

  get ref(): string {
    return this.authReqId.split('.')[0] ?? '';
  }

  /** Opens the page, and keeps what its form carries. */
  async page(): Promise<string> {
    const { status, text } = await this.provider.send(new Request(this.link));
    this.formToken = formTokenOf(text);
    return String(status);
  }

  /**
   * Approves on the opened page; where a code is asked for, with it, unless another one is typed.
   */
  async approve(code = bindingMessage): Promise<string> {
    const body = new URLSearchParams({ form_token: this.formToken, decision: 'approve', code });
    const decided = await this.provider.send(new Request(this.link, { method: 'POST', body }));
    return String(decided.status);
  }

  /** Opens the page and approves. */
  async decide(code?: string): Promise<string> {
    const shown = await this.page();
    return shown === '200' ? this.approve(code) : shown;
  }

  async poll(): Promise<string> {
    const answer = await this.post('/token', {
      grant_type: CIBA_GRANT_TYPE,
      auth_req_id: this.authReqId,
    });
    if (answer.status === 200) {
      this.tokenSets += 1;
      this.refreshToken = String(answer.body['refresh_token']);
    }
    return told(answer);
  }

  async refresh(): Promise<string> {
    return told(
      await this.post('/token', {
        grant_type: REFRESH_GRANT_TYPE,
        refresh_token: this.refreshToken,
      }),
    );
  }
}

/** `200`, or the status and the code; every error is one that the protocol has. */
function told({ status, headers, body }: Answer): string {
  if (status === 200) return '200';
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body['error_description']).toMatch(/\(Correlation ID: [\w.-]+\)$/);
  if (status === 503) expect(headers.get('retry-after')).toBe('2');
  return `${status} ${body['error']}`;
}

function linksOf({ mails }: WatchedProvider): string[] {
  return mails.map((mail) => {
    const data = JSON.parse(mail.Content?.Template?.TemplateData ?? '{}');
    return String(data.magicLink);
  });
}

/**
 * A path: what came before it, what is done once under the fault, and what may be answered then.
 */
interface Path {
  client?: 'key' | 'code';
  before: (story: Story) => Promise<unknown>;
  run: (story: Story) => Promise<string>;
  /** What it answers without a fault, and what it may answer with one. */
  answers: [string, ...string[]];
}

const asked = (story: Story) => story.ask();
const mailed = async (story: Story) => {
  await story.ask();
  await story.notify();
};
const opened = async (story: Story) => {
  await mailed(story);
  await story.page();
};
const approved = async (story: Story) => {
  await mailed(story);
  await story.decide();
};

const THE_LAST_CODE = 'type the last wrong code';

const paths: Record<string, Path> = {
  authorize: {
    before: async () => {},
    run: asked,
    answers: ['200', '503 temporarily_unavailable'],
  },
  'authorize by key': {
    client: 'key',
    before: async () => {},
    run: asked,
    answers: ['200', '503 temporarily_unavailable'],
  },
  notify: { before: asked, run: (story) => story.notify(), answers: ['mail', 'no mail'] },
  'show the page': { before: mailed, run: (story) => story.page(), answers: ['200', '503'] },
  approve: { before: opened, run: (story) => story.approve(), answers: ['200', '503', '409'] },
  'type a wrong code': {
    client: 'code',
    before: opened,
    run: (story) => story.approve('wrong'),
    answers: ['400', '503'],
  },
  [THE_LAST_CODE]: {
    client: 'code',
    before: async (story) => {
      await opened(story);
      await story.approve('wrong');
      await story.approve('wrong');
    },
    run: (story) => story.approve('wrong'),
    answers: ['400', '503', '409'],
  },
  'poll while pending': {
    before: mailed,
    run: (story) => story.poll(),
    answers: ['400 authorization_pending', '400 slow_down', '503 temporarily_unavailable'],
  },
  'poll too early': {
    before: async (story) => {
      await mailed(story);
      await story.poll();
    },
    run: (story) => story.poll(),
    answers: ['400 slow_down', '503 temporarily_unavailable'],
  },
  redeem: {
    before: approved,
    run: (story) => story.poll(),
    answers: ['200', '503 temporarily_unavailable', '400 invalid_grant'],
  },
  refresh: {
    before: async (story) => {
      await approved(story);
      await story.poll();
    },
    run: (story) => story.refresh(),
    answers: ['200', '503 temporarily_unavailable'],
  },
};

let provider: WatchedProvider | undefined;
afterEach(async () => {
  await provider?.stop();
  provider = undefined;
});

/** Lets the n-th call from now on meet the fault; the calls of whoever overtakes are left alone. */
function inject(
  { tables }: WatchedProvider,
  at: number,
  fault: Fault,
  overtake: () => Promise<unknown>,
) {
  let calls = 0;
  let attempts = 0;
  let isOvertaken = false;
  /** The one call that meets the fault, by what the SDK hands from one of its steps to the next. */
  let met: object | undefined;
  const passing = Object.assign(new Error('a passing fault'), {
    $retryable: { throttling: false },
  });
  tables.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (isOvertaken) return next(args);
      calls += 1;
      if (calls !== at) return next(args);
      met = context;
      if (fault !== 'overtaken') return next(args);
      isOvertaken = true;
      await overtake();
      isOvertaken = false;
      return next(args);
    },
    { step: 'initialize', name: 'calls' },
  );
  tables.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context !== met || fault === 'overtaken') return next(args);
      attempts += 1;
      const isFirst = attempts === 1;
      if (fault === 'refused' || (fault === 'refused once' && isFirst)) throw passing;
      const result = await next(args);
      if (fault === 'answer lost' || (fault === 'answer lost once' && isFirst)) throw passing;
      return result;
    },
    { step: 'finalizeRequest', priority: 'low', name: 'attempts' },
  );
  return () => {
    tables.client.middlewareStack.remove('calls');
    tables.client.middlewareStack.remove('attempts');
    return calls;
  };
}

/** Goes on to the end as everybody would, without any further fault. */
async function goOn(story: Story): Promise<string> {
  if (story.authReqId === '') expect(await story.ask()).toBe('200');
  if (story.link === '') await story.notify();
  if (story.link === '') return 'unasked until the end';
  const decided = await story.decide();
  expect(['200', '409']).toContain(decided);
  const polled = story.tokenSets === 0 ? await story.poll() : '';
  if (polled === '400 access_denied') return 'denied';
  if (story.tokenSets === 0) return 'a burned approval';
  expect(await story.refresh()).toBe('200');
  return 'tokens';
}

async function tell(path: Path, at: number, fault: Fault) {
  provider ??= await startWatchedProvider(directory);
  provider.mails.length = 0;
  const story = new Story(provider, path.client ?? 'post');
  await path.before(story);
  const other = new Story(provider, path.client ?? 'post');
  Object.assign(other, {
    authReqId: story.authReqId,
    link: story.link,
    formToken: story.formToken,
    refreshToken: story.refreshToken,
  });
  let overtakerAnswered = '';
  const calls = inject(provider, at, fault, async () => {
    overtakerAnswered = await path.run(other);
  });
  const answered = await path.run(story);
  const count = calls();
  const links = new Set(linksOf(provider).filter((link) => link.includes(story.ref)));
  expect([...links].length).toBeLessThanOrEqual(1);
  const overtakerTokens = other.tokenSets;
  if (story.tokenSets === 0 && overtakerTokens > 0) {
    story.tokenSets = overtakerTokens;
    story.refreshToken = other.refreshToken;
  }
  expect(story.tokenSets).toBeLessThanOrEqual(1);
  const end = await goOn(story);
  expect(story.tokenSets).toBeLessThanOrEqual(1);
  return { count, answered, overtakerAnswered, end };
}

it.each(Object.entries(paths))('%s', async (name, path) => {
  const { count, answered: plain } = await tell(path, 0, 'refused');
  expect([name, plain]).toEqual([name, path.answers[0]]);
  expect(count).toBeGreaterThan(0);
  const rows: string[] = [];
  for (let at = 1; at <= count; at += 1) {
    for (const fault of met) {
      const { answered, end } = await tell(path, at, fault);
      const row = `${name}, call ${at}, ${fault}`.padEnd(44);
      rows.push(`${row} ${answered.padEnd(28)} ${end}`);
      expect([row, path.answers.includes(answered), answered]).toEqual([row, true, answered]);
      // A fault that passes is never told; one that stays is, and nothing was lost by it.
      if (fault === 'refused once') expect([row, answered]).toEqual([row, plain]);
      const mayEndSo = allowedEnds(name, fault);
      expect([row, mayEndSo.includes(end), end]).toEqual([row, true, end]);
    }
  }
  process.stdout.write(`${rows.join('\n')}\n`);
});

it('authorize, no start of the flow (F8): told, and asking again is all it takes', async () => {
  provider = await startWatchedProvider(directory);
  const story = new Story(provider, 'post');
  provider.world.isFlowDown = true;
  expect(await story.ask()).toBe('503 temporarily_unavailable');
  provider.world.isFlowDown = false;
  expect(await goOn(story)).toBe('tokens');
});

it.each([
  ['refused for good', 'rejected', 1],
  ['refused for now', 'deferred', 6],
  ['a fault', 'failed', 1],
  ['no answer', 'lost', 1],
] as const)('notify, SES: %s (F9)', async (fault, ses, tries) => {
  provider = await startWatchedProvider(directory);
  const story = new Story(provider, 'post');
  await story.ask();
  provider.world.ses = ses;
  await story.notify();
  process.stdout.write(`${`notify, SES: ${fault}`.padEnd(44)} ${provider.mails.length} tries\n`);
  // What SES left unknown is not sent again while it may still be under way; what it refused is
  // tried in its time.
  expect([fault, provider.mails.length]).toEqual([fault, tries]);
  expect(new Set(linksOf(provider)).size).toBe(1);
  provider.world.ses = 'accepted';
  expect(await story.decide()).toBe('410');
  expect(await story.poll()).toBe('400 authorization_pending');
  provider.now.at += 120;
  expect(await story.poll()).toBe('400 expired_token');
});

it('news of a mail (F10): whatever its calls meet, the event that comes again leaves nothing undone', {
  timeout: 60_000,
}, async () => {
  provider = await startWatchedProvider(directory);
  const { tables, hear } = provider;
  const users = userDirectory(tables.client, 'directory');
  const requests = requestsTable(tables.client, 'requests');
  const tellNews = async (at: number, fault: Fault) => {
    const story = new Story(watched, 'post');
    await mailed(story);
    const event = sesEvent(story.ref, bounce('Permanent', 'General'));
    const calls = inject(watched, at, fault, () => hear(event));
    const { outcome } = await hear(event).catch(() => ({ outcome: 'thrown' }));
    const count = calls();
    if (outcome !== 'recorded') expect(fault).not.toBe('refused once');
    await hear(event);
    const where = `call ${at}, ${fault}`;
    expect([where, await requests.find(story.ref)]).toMatchObject([
      where,
      { status: 'failed', cause: 'mail_bounced', mailFailure: { cause: 'mail_bounced' } },
    ]);
    expect([where, (await users.findUser('u-alice'))?.undeliverable]).toMatchObject([
      where,
      { email: 'alice@example.com', cause: 'mail_bounced' },
    ]);
    expect(await hear(event)).toMatchObject({ outcome: 'known' });
    await clearUndeliverable(tables.client, 'directory', 'u-alice');
    return count;
  };
  const watched = provider;
  const count = await tellNews(0, 'refused');
  // Request, user, the note on the address, for which the user is read again, and the request's
  // stamp.
  expect(count).toBe(5);
  for (let at = 1; at <= count; at += 1) {
    for (const fault of met) await tellNews(at, fault);
  }
});

/**
 * What a story may end in: tokens, but for two that are stated; the last wrong code denies. A claim
 * whose answer is lost for good keeps others from sending for as long as a send may take; here the
 * clock stands still, so nobody comes after it.
 */
function allowedEnds(path: string, fault: Fault): string[] {
  if (path === THE_LAST_CODE) {
    // What was not counted, and was told so, has denied nothing.
    return fault === 'refused' || fault === 'answer lost' ? ['denied', 'tokens'] : ['denied'];
  }
  return path === 'notify' && fault === 'answer lost'
    ? ['tokens', 'unasked until the end']
    : ['tokens'];
}
