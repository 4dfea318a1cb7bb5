/**
 * The logo of a client (`logo_uri` of OpenID Connect Registration 2): an image that we store and
 * serve ourselves, so that the approval page loads nothing from a third party. What may be
 * registered, and what names a stored logo.
 */

/** The most that an image may have, in bytes. */
export const LOGO_BYTES = 1024 * 1024;

const logoTypes = ['png', 'jpeg', 'gif'] as const;

/** The subtype of an image's media type. */
export type LogoType = (typeof logoTypes)[number];

/** How such images begin, in hexadecimal. */
const signatures: Record<LogoType, string[]> = {
  png: ['89504e470d0a1a0a'],
  jpeg: ['ffd8ff'],
  gif: ['474946383761', '474946383961'],
};

const SIGNATURE_BYTES = 8;

/** An image as it is registered. */
export interface LogoFile {
  type: LogoType;
  bytes: Uint8Array;
}

/**
 * What its first bytes say that an image is, whatever its name; `undefined` for anything but a PNG,
 * JPEG or GIF.
 */
export function logoTypeOf(bytes: Uint8Array): LogoType | undefined {
  const start = Buffer.from(bytes.subarray(0, SIGNATURE_BYTES)).toString('hex');
  return logoTypes.find((type) =>
    signatures[type].some((signature) => start.startsWith(signature)),
  );
}

/** The `logo_uri` that holds an image (RFC 2397). */
export function logoUriOf({ type, bytes }: LogoFile): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

/** Longer ones hold too much, and need not be looked at. */
const LOGO_URI_LENGTH = 'data:image/jpeg;base64,'.length + Math.ceil(LOGO_BYTES / 3) * 4;

/**
 * The image that a `logo_uri` holds; `undefined` if it is at another address, too large, or not
 * what its media type says. Whether it can be drawn is another question.
 */
export function parseLogoUri(uri: string): LogoFile | undefined {
  if (uri.length > LOGO_URI_LENGTH) return undefined;
  const bytes = Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64');
  const type = logoTypeOf(bytes);
  if (type === undefined || bytes.length > LOGO_BYTES) return undefined;
  // Node skips what is no base64: only what reads back as it was written is taken.
  return uri === logoUriOf({ type, bytes }) ? { type, bytes } : undefined;
}

/**
 * Whether a text can be the hash of a logo, which is its SHA-256 in base64url; any other needs no
 * look-up.
 */
export function isLogoHash(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}
