/**
 * Makes the logo that is stored of the image that was registered (`logo_uri`). The image is drawn
 * anew from its pixels, so that nothing else of somebody's file is ever served: no metadata, no
 * second picture, nothing that is also a page.
 */

import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';
import type { LogoFile, LogoType } from '../../../lambdas/ciba/client/client-logo.ts';
import { OperatorError, usageError } from '../terminal/operator-error.ts';
import { readGif } from './decode-gif.ts';
import { readJpeg } from './decode-jpeg.ts';
import { readPng } from './decode-png.ts';
import { type Pixels, shrinkTo } from './pixels.ts';

/** A PNG of at most 192 × 192 pixels. */
export interface Logo {
  png: Uint8Array;
  /** Its SHA-256 in base64url. */
  hash: string;
}

/** The page shows it at 48: enough for the finest screens. */
const LOGO_SIDE = 192;

const readers: Record<LogoType, (bytes: Buffer) => Pixels> = {
  png: readPng,
  jpeg: readJpeg,
  gif: readGif,
};

/**
 * The logo of an image; the same image always makes the same bytes.
 * @throws OperatorError for an image that is too large or cannot be drawn
 */
export function encodeLogo({ type, bytes }: LogoFile): Logo {
  const png = encodePng(shrinkTo(LOGO_SIDE, readImage(type, Buffer.from(bytes))));
  return { png, hash: createHash('sha256').update(png).digest('base64url') };
}

function readImage(type: LogoType, bytes: Buffer): Pixels {
  try {
    return readers[type](bytes);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw usageError(
      `is no ${type.toUpperCase()} that can be drawn: it is damaged, cut off, or of a rare kind; save it again as a PNG`,
      error,
    );
  }
}

const OPAQUE = 2;
const WITH_ALPHA = 6;

/**
 * The strategy looks for runs alone: what finds other matches finds others on another machine or
 * version of zlib.
 */
const Z_RLE = 3;

function encodePng({ width, height, rgba }: Pixels): Uint8Array {
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgba);
  const isOpaque = rgba.every((value, index) => index % 4 !== 3 || value === 255);
  return PNG.sync.write(png, {
    colorType: isOpaque ? OPAQUE : WITH_ALPHA,
    deflateStrategy: Z_RLE,
    deflateLevel: 9,
    filterType: -1,
  });
}
