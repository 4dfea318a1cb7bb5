/**
 * The audit of a running provider, read by the operator's command line as a process: what a client
 * and a user did is there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { LogKind } from '../../lib/local/local-log.ts';
import { parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { runCiba, startCiba, watchCiba } from '../support/ciba-process.ts';
import { eventually } from '../support/eventually.ts';
import { type SynthesizedHost, startSynthesizedHost } from '../support/synthesized-host.ts';

const client = { client_id: 'pump', client_secret: 'the secret of a pump of this test' };
const directory = parseDirectory({
  clients: [
    {
      ...client,
      client_name: 'Pump',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      scope: 'openid offline_access',
    },
  ],
  users: [{ sub: 'u-alice', username: 'alice', email: 'alice@bank.example', email_verified: true }],
});

let host: SynthesizedHost;
/** What functions and flows wrote. */
const written: { kind: LogKind; line: string }[] = [];
beforeAll(async () => {
  host = await startSynthesizedHost({ log: (kind, line) => void written.push({ kind, line }) });
  await host.applyDirectory(directory, { prune: false });
});
afterAll(() => host?.stop());

const answer = z.object({
  auth_req_id: z.string().optional(),
  refresh_token: z.string().optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
});

async function post(path: string, form: Record<string, string>) {
  const body = new URLSearchParams({ ...client, ...form });
  const response = await fetch(`${host.issuer}${path}`, { method: 'POST', body });
  return answer.parse(await response.json());
}

async function ask(): Promise<string> {
  const form = { scope: 'openid offline_access', login_hint: 'alice' };
  return (await post('/cibaAuthorization', form)).auth_req_id ?? '';
}

const refOf = (authReqId: string) => authReqId.slice(0, 26);

const inbox = z.object({ emails: z.array(z.object({ body: z.object({ text: z.string() }) })) });

/** The text of the mail that names this Request ID. */
function mailOf(ref: string): Promise<string> {
  return eventually(async () => {
    const { emails } = inbox.parse(await (await fetch(`${host.inbox}/store`)).json());
    const mail = emails.find(({ body }) => body.text.includes(ref));
    if (!mail) throw new Error(`no mail for ${ref}`);
    return mail.body.text;
  });
}

/** Presses a button of the page that the mail leads to. */
async function decide(ref: string, decision: 'approve' | 'deny'): Promise<void> {
  const [link = ''] = /https?:\/\/\S+/.exec(await mailOf(ref)) ?? [];
  const page = await (await fetch(link)).text();
  const inputs = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const form = inputs.map(([, name = '', value = '']): [string, string] => [name, value]);
  const body = new URLSearchParams([...form, ['decision', decision]]);
  expect((await fetch(link, { method: 'POST', body })).status).toBe(200);
}

const story = z.object({
  event: z.string().nullable(),
  outcome: z.string(),
  code: z.string().nullable(),
  cause: z.string().nullable(),
  username: z.string().nullable(),
  time_line: z.array(z.object({ what: z.string() })),
});

async function show(id: string) {
  const { exitCode, stdout, stderr } = await runCiba(host.control, ['audit', 'show', id, '--json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  const told = story.parse(JSON.parse(stdout));
  return { ...told, happenings: told.time_line.map(({ what }) => what) };
}

const functionLine = z.object({
  level: z.string(),
  event: z.string(),
  outcome: z.string(),
  ref: z.string().optional(),
  correlation_id: z.string().optional(),
  request_id: z.string().optional(),
  lambda_request_id: z.string(),
});

/** The lines of functions in which this text stands. */
function linesWith(text: string) {
  return written
    .filter(({ kind, line }) => kind === 'function' && line.includes(text))
    .map(({ line }) => functionLine.parse(JSON.parse(line.slice(line.indexOf('{')))));
}

describe('the lines of an approval', () => {
  let ref: string;
  beforeAll(async () => {
    const authReqId = await ask();
    ref = refOf(authReqId);
    await decide(ref, 'approve');
    await post('/token', {
      grant_type: 'urn:openid:params:grant-type:ciba',
      auth_req_id: authReqId,
    });
  });

  it('O22: are found by the Request ID, every step of it, each of an invocation of its own', () => {
    const lines = linesWith(ref);
    expect(lines.map(({ event, outcome }) => `${event} ${outcome}`)).toEqual([
      'backchannel_authentication ok',
      'locate_user located',
      'mail sent',
      'approve shown',
      'approve approved',
      'token ok',
    ]);
    expect(lines.map(({ level }) => level)).toEqual(lines.map(() => 'INFO'));
    const invocations = new Set(lines.map((line) => line.lambda_request_id));
    expect(invocations.size).toBe(lines.length);
  });

  it('O22: are found by any id of theirs, and lead back to the Request ID', () => {
    const lines = linesWith(ref);
    const ids = lines.flatMap((line) => [
      line.lambda_request_id,
      ...[line.request_id ?? [], line.correlation_id ?? []].flat(),
    ]);
    expect(ids).toHaveLength(6 + 4 + 2);
    for (const id of ids) {
      const [line, ...others] = linesWith(id);
      expect(others).toEqual([]);
      expect(line?.correlation_id ?? line?.ref).toContain(ref);
    }
  });

  it('O22: have the Request ID as the name of the execution', () => {
    const flows = written.filter(({ kind, line }) => kind === 'flow' && line.includes(ref));
    expect(flows).toHaveLength(1);
  });
});

describe('ciba audit', () => {
  it('follows a request from the mail’s Request ID to its tokens, and ends its refresh token', async () => {
    const authReqId = await ask();
    const ref = refOf(authReqId);
    await decide(ref, 'approve');
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId };
    const { refresh_token } = await post('/token', grant);
    expect(await show(/Request ID:?\s+(\S+)/.exec(await mailOf(ref))?.[1] ?? ref)).toMatchObject({
      event: 'CIBA Authentication Succeeded',
      outcome: 'redeemed',
      username: 'alice',
      happenings: [
        'asked',
        'located',
        'flow_chosen',
        'link_made',
        'mailed',
        'approved',
        'polled',
        'redeemed',
        'refresh_token_ends',
      ],
    });
    const refresh = { grant_type: 'refresh_token', refresh_token: refresh_token ?? '' };
    expect(await post('/token', refresh)).not.toHaveProperty('error');
    const revoked = await runCiba(host.control, ['audit', 'revoke', ref, '--yes']);
    expect(revoked.exitCode).toBe(0);
    expect(await post('/token', refresh)).toMatchObject({ error: 'invalid_grant' });
    expect((await show(ref)).happenings).toContain('revoked');
  });

  it('leads from the correlation id of a refusal to its cause', async () => {
    const refused = await post('/cibaAuthorization', { scope: 'openid', login_hint: 'nobody' });
    const [, id = ''] = /\(Correlation ID: (\S+)\)$/.exec(refused.error_description ?? '') ?? [];
    expect(await show(id)).toMatchObject({
      event: 'CIBA Authentication Failed',
      outcome: 'refused',
      code: 'unknown_user_id',
      cause: 'user_unknown',
    });
  });

  it('leads from the correlation id of a poll to its request', async () => {
    const authReqId = await ask();
    await decide(refOf(authReqId), 'deny');
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId };
    const { error, error_description } = await post('/token', grant);
    expect(error).toBe('access_denied');
    const [, id = ''] = /\(Correlation ID: (\S+)\)$/.exec(error_description ?? '') ?? [];
    const argv = ['audit', '--correlation-id', id, '--json'];
    const { stdout } = await runCiba(host.control, argv);
    expect(JSON.parse(stdout)).toMatchObject({
      items: [{ ref: refOf(authReqId), outcome: 'denied' }],
    });
  });

  it('finds requests by client, user and outcome in the index of the stack', async () => {
    const ref = refOf(await ask());
    for (const argv of [
      ['--client', 'pump'],
      ['--user', 'alice'],
      ['--outcome', 'pending'],
    ]) {
      const { stdout, stderr } = await runCiba(host.control, ['audit', ...argv, '--json']);
      const found = z
        .object({ items: z.array(z.object({ ref: z.string() })) })
        .parse(JSON.parse(stdout));
      expect([stderr, found.items[0]?.ref]).toEqual(['', ref]);
    }
  });

  it('shows what happens as it does, an object a line, and ends cleanly when it is interrupted', async () => {
    const child = startCiba(host.control, ['audit', '--follow', '--json', '--limit', '1']);
    const { written, ended } = watchCiba(child);
    const seen = (text: string) => eventually(() => expect(written.stdout).toContain(text));
    await seen('"ref"');
    const ref = refOf(await ask());
    await seen(ref);
    await decide(ref, 'deny');
    await seen('"denied"');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(written.stderr).toBe('');
    const outcomes = written.stdout
      .trimEnd()
      .split('\n')
      .map((line) => z.object({ ref: z.string(), outcome: z.string() }).parse(JSON.parse(line)))
      .filter((entry) => entry.ref === ref);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['pending', 'denied']);
  });
});
