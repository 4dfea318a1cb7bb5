/**
 * A petrol pump that asks a named user for approval: a relying party of CIBA in poll mode, in one
 * file, to be copied. openid-client does the protocol: discovery, the two requests, the waiting
 * between polls, the check of the ID Token.
 */
import * as client from 'openid-client';

/** How the pump is registered with the provider. */
export interface PumpRegistration {
  issuer: string;
  clientId: string;
  clientSecret: string;
  clientAuthentication: 'client_secret_basic' | 'client_secret_post';
  /** Only for a provider whose CA neither the system nor NODE_EXTRA_CA_CERTS has. */
  fetch?: client.CustomFetch | undefined;
}

/**
 * What the pump knows of an approval that it has asked for; the first two pass, the others are
 * final.
 */
export type Approval =
  | { step: 'asking' }
  | { step: 'waiting'; requestId: string; expiresAt: number; expiresIn: number; interval: number }
  | { step: 'approved'; claims: Record<string, unknown> }
  | { step: 'denied' }
  | { step: 'expired' }
  | { step: 'failed'; reason: string; correlationId: string | undefined };

/** What is asked of whom. */
export interface Question {
  user: string;
  /**
   * Shown on the pump and sent along, for the user to compare, or to type where a code is asked
   * for.
   */
  bindingMessage: string;
  /** Whether the binding message is a code, for the user to type. */
  isCode: boolean;
  /**
   * The subject that the pump has on record for the user; where it has none, the provider says who
   * it is.
   */
  sub?: string | undefined;
}

/** Reads the provider's discovery document, once. The rest goes by what stands there. */
export function connectPump(pump: PumpRegistration): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = pump;
  const authentication =
    pump.clientAuthentication === 'client_secret_basic'
      ? client.ClientSecretBasic(clientSecret)
      : client.ClientSecretPost(clientSecret);
  // Verifies the signature of each ID Token, not only its claims.
  const execute = [client.enableNonRepudiationChecks];
  // For localhost only: leave this out with a provider on the network.
  if (issuer.startsWith('http://localhost:')) execute.push(client.allowInsecureRequests);
  return client.discovery(new URL(issuer), clientId, undefined, authentication, {
    execute,
    ...(pump.fetch && { [client.customFetch]: pump.fetch }),
  });
}

/**
 * Asks the user, shows each step as it is reached, and ends with the decision. Nobody waits any
 * more once `given up`.
 */
export async function* askForApproval(
  config: client.Configuration,
  { user, bindingMessage, isCode, sub }: Question,
  givenUp: AbortSignal,
): AsyncGenerator<Approval> {
  yield { step: 'asking' };
  try {
    const acr = isCode ? `${config.serverMetadata().issuer}/acr/code` : undefined;
    // The user compares the binding message with what the pump shows, or types it, so the pump has
    // to show it.
    const request = await client.initiateBackchannelAuthentication(config, {
      scope: 'openid profile email',
      login_hint: user,
      binding_message: bindingMessage,
      ...(acr !== undefined && { acr_values: acr }),
    });
    const { auth_req_id, expires_in: expiresIn, interval = 5 } = request;
    // What comes before the dot is no secret: mail and page show it as the Request ID.
    const [requestId = ''] = auth_req_id.split('.');
    yield {
      step: 'waiting',
      requestId,
      expiresAt: Date.now() + expiresIn * 1000,
      expiresIn,
      interval,
    };

    // Polls no faster than the provider allows, until it has an answer.
    const signal = AbortSignal.any([givenUp, AbortSignal.timeout(expiresIn * 1000)]);
    const tokens = await client.pollBackchannelAuthenticationGrant(config, request, undefined, {
      signal,
    });
    // The ID Token is verified by now: it says who approved, and how. The access token is for the
    // APIs behind the pump.
    const claims = tokens.claims() ?? {};
    yield isAnswer(claims, { acr, sub }) ? { step: 'approved', claims } : otherAnswer;
  } catch (error) {
    if (!givenUp.aborted) yield judgeError(error, user);
  }
}

/**
 * OpenID Connect Core 3.1.3.7: whoever asks for a level looks whether it is the one that was
 * reached, since `acr_values` is a wish; and whoever asks for a user, whether it was that user.
 */
function isAnswer(
  claims: Record<string, unknown>,
  asked: { acr: string | undefined; sub: string | undefined },
): boolean {
  const isAt = asked.acr === undefined || claims['acr'] === asked.acr;
  const isBy = asked.sub === undefined || claims['sub'] === asked.sub;
  return isAt && isBy;
}

const otherAnswer = fail('The approval is not the one that was asked for.', undefined);

/** What an error means to the person at the pump. */
function judgeError(error: unknown, user: string): Approval {
  if (error instanceof client.ClientError && error.code === 'OAUTH_TIMEOUT') {
    return { step: 'expired' };
  }
  if (!(error instanceof client.ResponseBodyError)) return fail(reasonOf(error), undefined);
  // As an answer to the request this means that nobody was asked; to a poll, that the user said no.
  if (error.error === 'access_denied' && error.status !== 403) return { step: 'denied' };
  if (error.error === 'expired_token') return { step: 'expired' };
  const reason =
    reasons(user).get(error.error) ?? 'The provider could not do this. Please try again.';
  return fail(reason, error.error_description);
}

const reasons = (user: string) =>
  new Map([
    ['unknown_user_id', `Nobody called ${user} can be asked. Is the name right?`],
    ['access_denied', `${user} cannot be asked now: too many requests. Please try again later.`],
  ]);

function reasonOf(error: unknown): string {
  return error instanceof client.WWWAuthenticateChallengeError
    ? 'The provider does not accept this pump: its id or its secret is wrong.'
    : 'The provider does not answer. Please try again in a moment.';
}

/**
 * The correlation id at the end of every description is what the provider's operator finds a
 * request by.
 */
function fail(reason: string, description: string | undefined): Approval {
  const correlationId = /\(Correlation ID: ([^)]+)\)$/.exec(description ?? '')?.[1];
  return { step: 'failed', reason, correlationId };
}
