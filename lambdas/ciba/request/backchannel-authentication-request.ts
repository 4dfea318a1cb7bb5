/**
 * The parameters of an authentication request (CIBA Core 7.1) and their checks (7.2), in this order:
 * what cannot be honoured, scope, the hint, binding message, the levels asked for, requested expiry. No check looks
 * anything up.
 */

import { type Client, EXPIRES_IN_BOUNDS, mayRefresh } from '../client/client.ts';
import type { ConfirmationLevel } from '../client/confirmation-level.ts';
import { OAuthError } from '../oauth-error.ts';
import { findUnreadable, READABLE_TEXT_LENGTH, type UnreadableText } from '../readable-text.ts';
import { requestedScope } from '../scope.ts';
import { loginHintLength } from '../user/login.ts';
import { refuseAuthorizationDetails } from './authorization-details.ts';
import { isTypeable, LEAST_CODE_CHARACTERS, levelFor } from './confirmation.ts';

type Form = ReadonlyMap<string, string>;

/** The hint as sent, not yet judged. */
export interface Hint {
  kind: (typeof hintKinds)[number];
  text: string;
}

/** CIBA Core 7.1; a request has exactly one. */
export const hintKinds = ['login_hint', 'id_token_hint', 'login_hint_token'] as const;

/**
 * The parameters of the endpoint beside those of client authentication: what is read, and what is refused rather than
 * ignored. Each may occur once; all others are ignored.
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

/** A request that may go on to its hint. */
export interface BackchannelAuthenticationRequest {
  scope: string;
  hint: Hint;
  bindingMessage: string | undefined;
  confirmationLevel: ConfirmationLevel;
  /** Lifetime of the request, in seconds: what the acknowledgement says and the store enforces. */
  expiresIn: number;
  /** Least time between polls, in seconds: always less than the lifetime (CIBA Core 7.3). */
  interval: number;
}

/** What the deployment sets where the client or the request says nothing, in seconds. */
export interface LifetimeSettings {
  defaultExpiresIn: number;
  minExpiresIn: number;
  maxExpiresIn: number;
  /** Least time between polls for a client that registered none. */
  defaultInterval: number;
}

/**
 * Reads and checks every parameter; parameters nobody knows are ignored (CIBA Core 7.2).
 * @throws OAuthError `invalid_request`, `invalid_scope` or `invalid_binding_message` (CIBA Core 13), or
 * `invalid_authorization_details` (RFC 9396 5)
 */
export function parseBackchannelAuthenticationRequest(
  form: Form,
  client: Client,
  issuer: string,
  settings: LifetimeSettings,
): BackchannelAuthenticationRequest {
  refuseUnsupported(form);
  const scope = form.get('scope');
  if (scope === undefined)
    throw new OAuthError('invalid_request', 'The parameter scope is missing.');
  const granted = requestedScope(scope, { scope: client.scope, mayRefresh: mayRefresh(client) });
  const hint = parseHint(form);
  const bindingMessage = parseBindingMessage(form.get('binding_message'));
  const level = levelFor(client.confirmation_level, form.get('acr_values'), issuer, bindingMessage);
  if (level === 'code') demandCode(bindingMessage);
  return {
    scope: granted,
    hint,
    bindingMessage,
    confirmationLevel: level,
    expiresIn: lifetime(form.get('requested_expiry'), client, settings),
    interval: pollingInterval(client, settings),
  };
}

/** Parameters that change what the user is asked; to ignore them would be to ask something else. */
function refuseUnsupported(form: Form): void {
  if (form.has('request')) {
    throw new OAuthError('invalid_request', 'Signed authentication requests are not supported.');
  }
  refuseAuthorizationDetails(form);
}

/** CIBA Core 7.1: "one and only one" of the three hints. */
function parseHint(form: Form): Hint {
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

/** CIBA Core 13: one that cannot be shown, whether or not this request shows it. */
function parseBindingMessage(bindingMessage: string | undefined): string | undefined {
  const fault = bindingMessage === undefined ? undefined : findUnreadable(bindingMessage);
  if (fault === undefined) return bindingMessage;
  throw new OAuthError(
    'invalid_binding_message',
    `The binding_message is not acceptable at position ${fault.position}: ${bindingMessageFaults[fault.reason]}.`,
  );
}

/** CIBA Core 13: unacceptable in the context of the request, as one that cannot serve as its code is. */
function demandCode(bindingMessage: string | undefined): void {
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
 * CIBA Core 7.3: a client that waits the interval has to find the request alive. The lifetime is kept above the interval,
 * whoever chose either; only a lifetime that the deployment does not grant lowers the interval.
 */
function pollingInterval(client: Client, settings: LifetimeSettings): number {
  return Math.min(client.interval ?? settings.defaultInterval, longestLifetime(settings) - 1);
}

/** CIBA Core 7.1: `requested_expiry` is a positive integer, however long; it is kept within the deployment's bounds. */
function lifetime(
  requested: string | undefined,
  client: Client,
  settings: LifetimeSettings,
): number {
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
