/**
 * Reads the first picture of a GIF (CompuServe GIF89a) that somebody else made, for a client's logo
 * (`logo_uri`). Strictly: a picture that is not whole is none.
 */
import { assertReadable, type Pixels } from './pixels.ts';

const SIGNATURE_BYTES = 6;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;

/**
 * The pixels of a GIF's first picture, on its canvas. What comes after it is not looked at.
 * @throws OperatorError for an image that is too large, before it is decompressed; another error
 * for one that is damaged
 */
export function readGif(bytes: Buffer): Pixels {
  const reader = readerOf(bytes, SIGNATURE_BYTES);
  const width = reader.uint16();
  const height = reader.uint16();
  assertReadable(width, height);
  const packed = reader.byte();
  // The background, which nobody draws, and the shape of the pixels, which nobody heeds.
  reader.take(2);
  const palette = readPalette(reader, packed);
  const rgba = new Uint8Array(width * height * 4);
  drawPicture(reader, { width, height, rgba }, palette);
  return { width, height, rgba };
}

/** What is at the place that was reached; what is beyond the end throws. */
interface Reader {
  byte(): number;
  uint16(): number;
  take(count: number): Buffer;
}

function readerOf(bytes: Buffer, start: number): Reader {
  let offset = start;
  const take = (count: number) => {
    if (offset + count > bytes.length) throw new Error('cut off');
    offset += count;
    return bytes.subarray(offset - count, offset);
  };
  return {
    take,
    byte: () => take(1).readUInt8(),
    uint16: () => take(2).readUInt16LE(),
  };
}

/** Three bytes for each colour, if the flags say that there is a palette. */
function readPalette(reader: Reader, packed: number): Buffer | undefined {
  return packed & 0x80 ? reader.take(3 * 2 ** ((packed & 0x07) + 1)) : undefined;
}

/** The data of a row of sub-blocks, to the empty one at its end. */
function readBlocks(reader: Reader): Buffer {
  const blocks: Buffer[] = [];
  for (let length = reader.byte(); length > 0; length = reader.byte()) {
    blocks.push(reader.take(length));
  }
  return Buffer.concat(blocks);
}

function drawPicture(reader: Reader, canvas: Pixels, canvasPalette: Buffer | undefined): void {
  let transparent: number | undefined;
  for (let label = reader.byte(); label !== IMAGE; label = reader.byte()) {
    if (label !== EXTENSION) throw new Error('no picture');
    const kind = reader.byte();
    const data = readBlocks(reader);
    if (kind === GRAPHIC_CONTROL)
      transparent = data.readUInt8() & 1 ? data.readUInt8(3) : undefined;
  }
  const [left, top] = [reader.uint16(), reader.uint16()];
  const [width, height] = [reader.uint16(), reader.uint16()];
  if (left + width > canvas.width || top + height > canvas.height) throw new Error('off canvas');
  const packed = reader.byte();
  const palette = readPalette(reader, packed) ?? canvasPalette;
  if (!palette) throw new Error('no palette');
  const codeSize = reader.byte();
  const indexes = decompress(readBlocks(reader), codeSize, width * height);
  const rows = packed & 0x40 ? interlacedRows(height) : Array.from({ length: height }, (_, y) => y);
  for (const [position, row] of rows.entries()) {
    for (let x = 0; x < width; x += 1) {
      const index = indexes[position * width + x] ?? 0;
      if (index === transparent) continue;
      const [red = 0, green = 0, blue = 0] = palette.subarray(index * 3, index * 3 + 3);
      canvas.rgba.set([red, green, blue, 255], ((top + row) * canvas.width + left + x) * 4);
    }
  }
}

/** The rows in the order in which an interlaced picture has them. */
function interlacedRows(height: number): number[] {
  const passes = [
    { first: 0, step: 8 },
    { first: 4, step: 8 },
    { first: 2, step: 4 },
    { first: 1, step: 2 },
  ];
  return passes.flatMap(({ first, step }) =>
    Array.from(
      { length: Math.ceil(Math.max(0, height - first) / step) },
      (_, n) => first + n * step,
    ),
  );
}

/** Codes have twelve bits at most. */
const CODES = 4096;

/**
 * The colour indexes that LZW codes stand for (GIF89a, appendix F). A code stands for indexes that
 * are in the output already: those of the code before the one it was made at, and the one behind
 * them.
 * @throws if they are fewer than so many
 */
function decompress(data: Buffer, codeSize: number, count: number): Uint8Array {
  if (codeSize < 1 || codeSize > 8) throw new Error('bad code size');
  const clear = 2 ** codeSize;
  const output = new Uint8Array(count);
  const starts = new Uint32Array(CODES);
  const lengths = new Uint32Array(CODES);
  let written = 0;
  let next = clear + 2;
  let before: { start: number; length: number } | undefined;
  const codes = codeReader(data, codeSize + 1);
  while (written < count) {
    const code = codes.read();
    if (code === clear + 1) break;
    if (code === clear) {
      next = clear + 2;
      before = undefined;
      codes.setBits(codeSize + 1);
      continue;
    }
    if (before && next < CODES) {
      starts[next] = before.start;
      lengths[next] = before.length + 1;
      next += 1;
      if (next < CODES) codes.setBits(Math.max(codeSize + 1, 32 - Math.clz32(next)));
    }
    if (code >= next) throw new Error('bad code');
    const start = written;
    const length = code < clear ? 1 : (lengths[code] ?? 0);
    const source = starts[code] ?? 0;
    for (let index = 0; index < length && written < count; index += 1) {
      output[written] = code < clear ? code : (output[source + index] ?? 0);
      written += 1;
    }
    before = { start, length };
  }
  if (written < count) throw new Error('cut off');
  return output;
}

/** Codes of a number of bits that grows, the lowest bit first. */
function codeReader(data: Buffer, initialBits: number) {
  let bits = initialBits;
  let [buffered, bitCount, offset] = [0, 0, 0];
  return {
    setBits(count: number) {
      bits = count;
    },
    read(): number {
      while (bitCount < bits) {
        buffered |= data.readUInt8(offset) << bitCount;
        offset += 1;
        bitCount += 8;
      }
      const code = buffered & (2 ** bits - 1);
      buffered >>>= bits;
      bitCount -= bits;
      return code;
    },
  };
}
