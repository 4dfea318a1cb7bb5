/**
 * How large the item of a request may become. DynamoDB counts a write in units of 1,024 bytes, and
 * a poll is a write: an item that stays within one unit keeps a poll at one. The longest of
 * everything is added up by a test.
 */
import type { AuthenticationRequest } from './authentication-request.ts';

/** One write unit, in bytes. */
const ITEM_BYTES = 1024;

/**
 * The most that a binding message takes, in bytes: 64 characters of 20 bits each. UTF-8 takes up to
 * 256; a message that would be longer in UTF-8 is stored in that form.
 */
export const LONGEST_STORED_MESSAGE = 160;

/**
 * What an item may come to hold beside the texts that the operator and the client choose and beside
 * the origin of its decision, in bytes: every other attribute with its name at its longest. Six of
 * them are room to grow.
 */
const OTHER_BYTES = 331;

/**
 * The bytes that are left for the origin of a decision, whatever else the item of this request may
 * come to hold.
 */
export function roomForOrigin({
  clientId,
  sub,
  scope,
  flow,
  bindingMessage = '',
}: Pick<AuthenticationRequest, 'clientId' | 'sub' | 'scope' | 'flow' | 'bindingMessage'>): number {
  const texts = [clientId, sub, scope, flow].map((text) => Buffer.byteLength(text));
  const message = Math.min(Buffer.byteLength(bindingMessage), LONGEST_STORED_MESSAGE);
  return texts.reduce((left, bytes) => left - bytes, ITEM_BYTES - OTHER_BYTES - message);
}
