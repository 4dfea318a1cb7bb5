/**
 * The endpoints and tasks over stores in memory, with a clock that a test sets and a log it can
 * read: the whole provider in one process, for tests of what happens in which order.
 */
import { createSecretKey, randomBytes } from 'node:crypto';
import type { PublicJwk } from '../../lambdas/ciba/keys/signing-keys.ts';
import type { DecisionOriginDetail } from '../../lambdas/ciba/request/decision-origin.ts';
import type { RefusedRequest } from '../../lambdas/ciba/request/refused-request.ts';
import { approveEndpoint } from '../../lambdas/endpoints/approve.ts';
import {
  type BackchannelAuthenticationDeps,
  backchannelAuthenticationEndpoint,
} from '../../lambdas/endpoints/backchannel-authentication.ts';
import { tokenEndpoint } from '../../lambdas/endpoints/token.ts';
import type { LogEvent } from '../../lambdas/log.ts';
import type { AuthenticationRequestStore, Mail, Mailer, TokenSigner } from '../../lambdas/ports.ts';
import { locateUserTask } from '../../lambdas/tasks/locate-user.ts';
import { mailTask } from '../../lambdas/tasks/mail.ts';
import { mailFeedbackTask } from '../../lambdas/tasks/mail-feedback.ts';
import { recordFailureTask } from '../../lambdas/tasks/record-failure.ts';
import { exampleClient, exampleClientSecret, inMemoryDirectory } from './example-directory.ts';
import { EXAMPLE_NOW } from './example-request.ts';
import { inMemoryQuotas, plainPolicies } from './in-memory-quotas.ts';
import { inMemoryRequests } from './in-memory-requests.ts';
import { inMemoryUsedTokenIds } from './in-memory-used-token-ids.ts';
import { inMemoryWrappingKeys } from './stored-secrets.ts';

export const issuer = 'https://ciba.example';

/** What a test may put in the place of a port. */
interface Replacements {
  requests?: Partial<AuthenticationRequestStore>;
  signer?: TokenSigner;
  publicKeys?: PublicJwk[];
  policies?: Partial<BackchannelAuthenticationDeps['settings']>;
  mailer?: Mailer;
  startFlow?: (ref: string) => Promise<void>;
  recordDecisionOrigin?: DecisionOriginDetail;
  /** The locales of `a-template`, which the flow names. */
  locales?: string[];
}

export function providerInMemory(replacements: Replacements = {}) {
  const now = { at: EXAMPLE_NOW };
  const log: LogEvent[] = [];
  const started: string[] = [];
  const startedFlows: string[] = [];
  const mails: Mail[] = [];
  const directory = inMemoryDirectory();
  const stored = inMemoryRequests();
  const refused: RefusedRequest[] = [];
  const requests = {
    ...stored,
    refuse: async (request: RefusedRequest) => {
      refused.push(request);
    },
    ...replacements.requests,
  };
  const linkKey = createSecretKey(randomBytes(32));

  const quotas = inMemoryQuotas(requests);
  const deps = {
    issuer,
    accessTokenAudience: issuer,
    settings: {
      defaultExpiresIn: 120,
      minExpiresIn: 10,
      maxExpiresIn: 600,
      defaultInterval: 2,
      auditRetention: 30 * 86_400,
      ...plainPolicies,
      ...replacements.policies,
    },
    requests,
    quotas,
    askedUsers: quotas,
    ...directory.ports,
    flow: {
      start: async (ref: string, flowName: string) => {
        started.push(ref);
        startedFlows.push(flowName);
        await replacements.startFlow?.(ref);
      },
    },
    recordDecisionOrigin: replacements.recordDecisionOrigin ?? ('coarse' as const),
    linkKeys: { linkKeys: async () => [linkKey] as const },
    wrappingKeys: inMemoryWrappingKeys,
    usedTokenIds: inMemoryUsedTokenIds(),
    keys: { publicKeys: async () => replacements.publicKeys ?? [] },
    signer: replacements.signer ?? {
      sign: async (alg: string, typ: string, claims: object) =>
        `${alg}.${typ}.${JSON.stringify(claims)}`,
    },
    templates: new Map([['a-template', replacements.locales ?? ['en']]]),
    mailer: replacements.mailer ?? {
      send: async (mail: Mail) => {
        mails.push(mail);
        return { outcome: 'accepted' } as const;
      },
    },
    clock: () => now.at,
    entropy: (bytes: number) => randomBytes(bytes),
    startPadding: () => async () => {},
    log: (event: LogEvent) => {
      log.push(event);
    },
  };

  const provider = {
    now,
    log,
    started,
    startedFlows,
    mails,
    directory,
    requests: stored,
    quotas,
    refused,
    authorize: backchannelAuthenticationEndpoint(deps),
    token: tokenEndpoint(deps),
    approve: approveEndpoint(deps),
    locateUser: locateUserTask(deps),
    mail: mailTask(deps),
    recordFailure: recordFailureTask(deps),
    mailFeedback: mailFeedbackTask(deps),
    ask,
    poll,
    send,
    mailedLink,
    decide,
  };
  return provider;

  /** A request of the example client for the example user; its auth_req_id. */
  async function ask(parameters: Record<string, string> = {}): Promise<string> {
    const form = { scope: 'openid profile', login_hint: 'alice', ...parameters };
    const response = await provider.authorize(formRequest('/cibaAuthorization', form));
    const { auth_req_id: authReqId } = Object(await response.json());
    if (typeof authReqId !== 'string') throw new Error(`not acknowledged: ${response.status}`);
    return authReqId;
  }

  /** One poll of a client, the example one unless another is named. */
  async function poll(authReqId: string, clientId = exampleClient.client_id) {
    const form = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId };
    const response = await provider.token(formRequest('/token', form, clientId));
    const body: Record<string, unknown> = Object(await response.json());
    return { status: response.status, headers: response.headers, body };
  }

  /** Runs the mail task of a request. */
  function send(authReqId: string) {
    return provider.mail({ ref: refOf(authReqId), templateName: 'a-template' });
  }

  /** Sends the mail of a request and answers the link in it. */
  async function mailedLink(authReqId: string): Promise<string> {
    await send(authReqId);
    return mails.at(-1)?.data.magicLink ?? '';
  }

  /** Opens the link and submits its form. */
  async function decide(
    link: string,
    decision: string,
    headers: Record<string, string> = {},
    typed: Record<string, string> = {},
  ) {
    const page = await (await provider.approve(new Request(link))).text();
    const body = new URLSearchParams({ form_token: formTokenOf(page), decision, ...typed });
    return provider.approve(new Request(link, { method: 'POST', body, headers }));
  }
}

export function refOf(authReqId: string): string {
  return authReqId.split('.')[0] ?? '';
}

/** The token that a page's form carries; empty if it has no form. */
export function formTokenOf(page: string): string {
  return /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
}

/** A form with Basic authentication, as an example client sends it. */
export function formRequest(
  path: string,
  parameters: Record<string, string>,
  clientId = exampleClient.client_id,
  clientSecret = exampleClientSecret,
): Request {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  return new Request(issuer + path, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    headers: { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  });
}
