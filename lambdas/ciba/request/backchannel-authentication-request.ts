/**
 * The parameters of an authentication request (CIBA Core 7.1), each with its check. No check looks
 * anything up; their order is that of the backchannel authentication endpoint.
 */

import { type Client, EXPIRES_IN_BOUNDS, mayRefresh } from '../client/client.ts';
import type { ConfirmationLevel } from '../client/confirmation-level.ts';
import { OAuthError } from '../oauth-error.ts';
import { findUnreadable, READABLE_TEXT_LENGTH, type UnreadableText } from '../readable-text.ts';
import { requestedScope } from '../scope.ts';
import { loginHintLength } from '../user/login.ts';
import { isTypeable, LEAST_CODE_CHARACTERS } from './confirmation.ts';

type Form = ReadonlyMap<string, string>;

/** The hint as sent, not yet judged. */
export interface Hint {
  kind: (typeof hintKinds)[number];
  text: string;
}

/** CIBA Core 7.1; a request has exactly one. */
export const hintKinds = ['login_hint', 'id_token_hint', 'login_hint_token'] as const;

/**
 * The parameters of the endpoint beside those of client authentication: what is read, and what is
 * refused rather than ignored. Each may occur once; all others are ignored.
 */
export const backchannelAuthenticationParameters = [
  'scope',
  ...hintKinds,
  'binding_message',
  'acr_values',
  'requested_expiry',
  'request',
  'authorization_details',
] as const;

/** What the deployment sets where the client or the request says nothing, in seconds. */
export interface LifetimeSettings {
  defaultExpiresIn: number;
  minExpiresIn: number;
  maxExpiresIn: number;
  /** Least time between polls for a client that registered none. */
  defaultInterval: number;
}

/**
 * A signed request carries its parameters in a JWT: to ignore the JWT would be to ask the user
 * something else.
 * @throws OAuthError `invalid_request` (CIBA Core 7.1.1)
 */
export function refuseSignedRequest(form: Form): void {
  if (!form.has('request')) return;
  throw new OAuthError('invalid_request', 'Signed authentication requests are not supported.');
}

/**
 * The scope that the user is asked for.
 * @throws OAuthError `invalid_request` if there is none, `invalid_scope` if the client may not have
 * it
 */
export function parseScope(form: Form, client: Client): string {
  const scope = form.get('scope');
  if (scope === undefined)
    throw new OAuthError('invalid_request', 'The parameter scope is missing.');
  return requestedScope(scope, { scope: client.scope, mayRefresh: mayRefresh(client) });
}

/**
 * CIBA Core 7.1: "one and only one" of the three hints, as it was sent.
 * @throws OAuthError `invalid_request`
 */
export function parseHint(form: Form): Hint {
  const sent = hintKinds.flatMap((kind) => {
    const text = form.get(kind);
    return text === undefined ? [] : [{ kind, text }];
  });
  const [hint] = sent;
  if (hint === undefined || sent.length !== 1) {
    throw new OAuthError(
      'invalid_request',
      'Exactly one of login_hint, id_token_hint and login_hint_token is required.',
    );
  }
  if (hint.kind === 'login_hint' && hint.text.length > loginHintLength(hint.text)) {
    throw new OAuthError(
      'invalid_request',
      `The login_hint is longer than ${loginHintLength(hint.text)} characters.`,
    );
  }
  return hint;
}

const bindingMessageFaults: Record<UnreadableText['reason'], string> = {
  too_long: `it is longer than ${READABLE_TEXT_LENGTH} characters`,
  character: 'a character there cannot be shown',
  link: 'a link or an address begins there, or a telephone number; put a space after its dot, colon or plus sign, write the sign as a word (example dot com), or group the digits in another way',
};

/**
 * The binding message, which people can read and no mail program makes a link of.
 * @throws OAuthError `invalid_binding_message` (CIBA Core 13), whether or not this request shows it
 */
export function parseBindingMessage(form: Form): string | undefined {
  const bindingMessage = form.get('binding_message');
  const fault = bindingMessage === undefined ? undefined : findUnreadable(bindingMessage);
  if (fault === undefined) return bindingMessage;
  throw new OAuthError(
    'invalid_binding_message',
    `The binding_message is not acceptable at position ${fault.position}: ${bindingMessageFaults[fault.reason]}.`,
  );
}

/**
 * A request of the level `code` has a binding message that the user can type.
 * @throws OAuthError `invalid_binding_message` (CIBA Core 13: unacceptable in the context of the
 * request)
 */
export function assertTypeable(level: ConfirmationLevel, bindingMessage: string | undefined): void {
  if (level === 'link') return;
  if (bindingMessage === undefined) {
    throw new OAuthError(
      'invalid_binding_message',
      'A binding_message is required: the user types it as a code.',
    );
  }
  if (isTypeable(bindingMessage)) return;
  throw new OAuthError(
    'invalid_binding_message',
    `The binding_message has fewer than ${LEAST_CODE_CHARACTERS} letters or digits: the user types it as a code.`,
  );
}

/** The longest lifetime of this deployment. */
function longestLifetime({ maxExpiresIn }: LifetimeSettings): number {
  return Math.min(maxExpiresIn, EXPIRES_IN_BOUNDS.max);
}

/**
 * The least time between polls, in seconds. CIBA Core 7.3: a client that waits the interval has to
 * find the request alive. The lifetime is kept above the interval, whoever chose either; only a
 * lifetime that the deployment does not grant lowers the interval.
 */
export function pollingInterval(client: Client, settings: LifetimeSettings): number {
  return Math.min(client.interval ?? settings.defaultInterval, longestLifetime(settings) - 1);
}

/**
 * The lifetime of the request, in seconds. CIBA Core 7.1: `requested_expiry` is a positive integer,
 * however long; it is kept within the deployment's bounds.
 * @throws OAuthError `invalid_request` for what is no positive integer
 */
export function parseRequestedExpiry(
  form: Form,
  client: Client,
  settings: LifetimeSettings,
): number {
  const requested = form.get('requested_expiry');
  const least = pollingInterval(client, settings) + 1;
  const max = longestLifetime(settings);
  if (requested === undefined) {
    return Math.min(Math.max(client.expires_in ?? settings.defaultExpiresIn, least), max);
  }
  if (!/^0*[1-9][0-9]*$/.test(requested)) {
    throw new OAuthError(
      'invalid_request',
      'The requested_expiry must be a positive whole number of seconds.',
    );
  }
  return Math.min(Math.max(Number(requested), settings.minExpiresIn, least), max);
}
