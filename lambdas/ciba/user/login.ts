/**
 * How end-users are named: user names and e-mail addresses, which are kept, mailed and claimed as
 * they were written and compared by a normal form alone, and the kinds of `login_hint` (CIBA Core
 * 7.1) that stand for them.
 */
import { parseStrictObject } from '../jwt/strict-json.ts';

/** Longest `login_hint`, in characters: a user name or an address, which are shorter by far. */
const LOGIN_HINT_LENGTH = 512;

/**
 * The same of the JSON form, which may write each character of a subject and of an issuer as six
 * (RFC 8259, 7).
 */
const JSON_HINT_LENGTH = 4096;

/** The most characters that are read of a `login_hint` that begins like this one. */
export function loginHintLength(hint: string): number {
  return isJsonHint(hint) ? JSON_HINT_LENGTH : LOGIN_HINT_LENGTH;
}

function isJsonHint(hint: string): boolean {
  return hint.startsWith('{');
}

const USERNAME_LENGTH = 64;
/** RFC 5321, 4.5.3.1, less the angle brackets. */
export const EMAIL_LENGTH = 254;
export const EMAIL_LOCAL_LENGTH = 64;

/**
 * RFC 5322 dot-atom, ASCII: quoted local parts, comments and address lists have no place in a
 * recipient.
 */
const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const domainCharacters = /^[\p{L}\p{M}\p{Nd}.-]+$/u;
const asciiDomain =
  /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Letters, marks, digits and the signs of common account names; no space, no `@`, and nothing that
 * is drawn as nothing.
 */
const usernameCharacters =
  /^(?:(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{Nd}._+\-'#$:/])+$/u;

/**
 * The normal form of a user name (NFKC, lower case), or `undefined` for a text that can be none.
 */
export function normaliseUsername(text: string): string | undefined {
  const normal = text.normalize('NFKC').toLowerCase();
  const length = Array.from(normal).length;
  if (length < 1 || length > USERNAME_LENGTH) return undefined;
  return usernameCharacters.test(normal) ? normal : undefined;
}

/**
 * One e-mail address as it is kept, mailed and claimed: the local part as it was written, since
 * "the local-part of a mailbox MUST BE treated as case sensitive" (RFC 5321, 2.4), the domain in
 * its IDNA (ASCII) form in lower case. `undefined` for anything that is not exactly one address
 * with a host name below a top-level domain.
 */
export function parseEmail(text: string): string | undefined {
  const at = text.indexOf('@');
  if (at < 1 || at !== text.lastIndexOf('@')) return undefined;
  const local = text.slice(0, at);
  if (local.length > EMAIL_LOCAL_LENGTH || !localPart.test(local)) return undefined;
  const domain = domainToAscii(text.slice(at + 1));
  if (domain === undefined) return undefined;
  const email = `${local}@${domain}`;
  return email.length <= EMAIL_LENGTH ? email : undefined;
}

/**
 * The normal form of one e-mail address, by which it is looked up and compared: lower case;
 * `undefined` for no address.
 */
export function normaliseEmail(text: string): string | undefined {
  return parseEmail(text)?.toLowerCase();
}

/** Whether two addresses lead to one user: they differ at most in how they are written. */
export function isSameEmail(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return normaliseEmail(one) === normaliseEmail(other);
}

/** The normal forms under which a user can be found. */
export function logins({ username, email }: Named): string[] {
  const names = [normaliseUsername(username), email === undefined ? email : normaliseEmail(email)];
  return names.filter((login) => login !== undefined);
}

/** What a user is called. */
interface Named {
  username: string;
  email?: string | undefined;
}

function domainToAscii(domain: string): string | undefined {
  if (!domainCharacters.test(domain)) return undefined;
  try {
    // The URL standard's host parser is the platform's implementation of IDNA (UTS 46).
    const { hostname } = new URL(`https://${domain}`);
    return asciiDomain.test(hostname) ? hostname : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a `login_hint` stands for: a user name or e-mail address in normal form, or a subject of
 * this issuer.
 */
export type LoginHint = { by: 'login'; login: string } | { by: 'sub'; sub: string };

/**
 * Reads a `login_hint`: a user name, an e-mail address, or the JSON of RFC 9493's format `iss_sub`,
 * as Auth0 has it: `{"format":"iss_sub","iss":…,"sub":…}`. `undefined` for a text that can name
 * nobody here, another issuer's subject included.
 */
export function parseLoginHint(hint: string, issuer: string): LoginHint | undefined {
  if (isJsonHint(hint)) return parseIssSub(hint, issuer);
  const parsed = parseLogin(hint);
  return parsed && { by: 'login', login: parsed.login };
}

/**
 * A user name or an e-mail address in normal form, and which of them it is: user names have no `@`.
 */
export function parseLogin(
  text: string,
): { kind: 'username' | 'email'; login: string } | undefined {
  // Whatever a signed token holds: what folding and IDNA cost grows faster than a text does.
  if (text.length > LOGIN_HINT_LENGTH) return undefined;
  const kind = text.includes('@') ? 'email' : 'username';
  const login = kind === 'email' ? normaliseEmail(text) : normaliseUsername(text);
  return login === undefined ? undefined : { kind, login };
}

/** RFC 9493 3.2.3, and 3: nothing but the members of its format. */
const issSubMembers = ['format', 'iss', 'sub'];

function parseIssSub(hint: string, issuer: string): LoginHint | undefined {
  const members = parseStrictObject(hint);
  if (members?.['format'] !== 'iss_sub') return undefined;
  if (!Object.keys(members).every((name) => issSubMembers.includes(name))) return undefined;
  // Auth0's issuers end in a slash and so do the hints its toolkits write; ours is an origin, for
  // which both forms are equal.
  if (members['iss'] !== issuer && members['iss'] !== `${issuer}/`) return undefined;
  const sub = members['sub'];
  return typeof sub === 'string' && isSub(sub) ? { by: 'sub', sub } : undefined;
}

/**
 * Longest subject identifier, in characters (OpenID Connect Core 2: MUST NOT exceed 255 ASCII
 * characters).
 */
export const SUB_LENGTH = 255;

/** What a subject identifier is, for an operator. */
export const SUB_RULE = `1 to ${SUB_LENGTH} printable ASCII characters without space`;

const subCharacters = /^[\x21-\x7e]+$/;

/**
 * A subject identifier as this provider assigns it: printable ASCII without space, 255 characters
 * at most.
 */
export function isSub(text: string): boolean {
  return text.length <= SUB_LENGTH && subCharacters.test(text);
}
