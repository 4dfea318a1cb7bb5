/**
 * An image without its file format: what is left of a client's logo (`logo_uri`) once it is read.
 */
import { usageError } from '../terminal/operator-error.ts';

/** Rows from the top, pixels from the left, each red, green, blue and alpha. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8Array;
}

/**
 * The longest side of an image that is read: beyond it a small file could take all memory there is.
 */
export const READ_SIDE = 2048;

/**
 * @throws OperatorError for an image whose header says that it is larger, or has no pixels at all
 */
export function assertReadable(width: number, height: number): void {
  const isReadable = [width, height].every((side) => side >= 1 && side <= READ_SIDE);
  if (isReadable) return;
  throw usageError(
    `is an image of ${width} × ${height} pixels; allowed: 1 to ${READ_SIDE} in each direction`,
  );
}

/**
 * Scales an image down, in proportion, until neither side is longer; never up. A pixel becomes the
 * mean of those that it covers, each as much as it is seen; what is not seen at all keeps no
 * colour.
 */
export function shrinkTo(side: number, { width, height, rgba }: Pixels): Pixels {
  const factor = Math.min(1, side / Math.max(width, height));
  const to = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const narrowed = shrinkRows(weighted(rgba), { length: width, rows: height, to: to.width });
  const shrunk = shrinkRows(narrowed, { length: height, rows: to.width, to: to.height });
  return { ...to, rgba: unweighted(shrunk) };
}

/** Colours by how much they are seen, so that a mean is not tinted by what is transparent. */
function weighted(rgba: Uint8Array): Float32Array {
  const pixels = Float32Array.from(rgba);
  for (let at = 0; at < pixels.length; at += 4) {
    const seen = (rgba[at + 3] ?? 0) / 255;
    for (let colour = at; colour < at + 3; colour += 1) {
      pixels[colour] = (rgba[colour] ?? 0) * seen;
    }
  }
  return pixels;
}

function unweighted(pixels: Float32Array): Uint8Array {
  const rgba = Uint8Array.from(pixels, Math.round);
  for (let at = 0; at < rgba.length; at += 4) {
    const seen = (pixels[at + 3] ?? 0) / 255;
    const isSeen = rgba[at + 3] !== 0;
    for (let colour = at; colour < at + 3; colour += 1) {
      rgba[colour] = isSeen ? Math.round(Math.min(255, (pixels[colour] ?? 0) / seen)) : 0;
    }
  }
  return rgba;
}

interface Rows {
  rows: number;
  /** Pixels in a row, before and after. */
  length: number;
  to: number;
}

/**
 * Shrinks each row; the answer has columns for rows, so that a second pass shrinks what were
 * columns.
 */
function shrinkRows(pixels: Float32Array, { rows, length, to }: Rows): Float32Array {
  const shrunk = new Float32Array(to * rows * 4);
  const shares = sharesOf(length, to);
  for (let row = 0; row < rows; row += 1) {
    for (const { source, target, share } of shares) {
      const from = (row * length + source) * 4;
      const into = (target * rows + row) * 4;
      for (let channel = 0; channel < 4; channel += 1) {
        const sum = shrunk[into + channel] ?? 0;
        shrunk[into + channel] = sum + share * (pixels[from + channel] ?? 0);
      }
    }
  }
  return shrunk;
}

/** Which pixels of a row make which of a shorter one, and what part of it. */
function sharesOf(length: number, to: number): { source: number; target: number; share: number }[] {
  const span = length / to;
  return Array.from({ length: to }, (_, target) => {
    const start = target * span;
    const end = Math.min(length, start + span);
    const first = Math.floor(start);
    return Array.from({ length: Math.ceil(end) - first }, (_pixel, index) => {
      const source = first + index;
      const covered = Math.min(source + 1, end) - Math.max(source, start);
      return { source, target, share: covered / span };
    });
  }).flat();
}
