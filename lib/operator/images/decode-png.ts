/**
 * Reads a PNG (W3C PNG, third edition) that somebody else made, for a client's logo (`logo_uri`).
 */
import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { assertReadable, type Pixels, READ_SIDE } from './pixels.ts';

const SIGNATURE_BYTES = 8;

/** Length, type and checksum. */
const CHUNK_FRAME_BYTES = 12;

/** The chunks that a picture is drawn from; all others tell something about it. */
const drawingChunks = ['PLTE', 'tRNS', 'IDAT', 'IEND'];

/**
 * The most that the pixels of a readable image have: eight bytes each, and the filters of the rows
 * of seven passes.
 */
const INFLATED_BYTES = READ_SIDE * READ_SIDE * 8 + 7 * READ_SIDE;

/**
 * The pixels of a PNG. Chunks that draw nothing are not looked at, nor is what follows the end.
 * @throws OperatorError for an image that is too large, before it is decompressed; another error
 * for one that is damaged
 */
export function readPng(bytes: Buffer): Pixels {
  const [header, ...others] = [...chunksOf(bytes)];
  if (header?.type !== 'IHDR') throw new Error('no IHDR');
  assertReadable(header.data.readUInt32BE(0), header.data.readUInt32BE(4));
  const drawing = others.filter(({ type }) => drawingChunks.includes(type));
  const compressed = drawing.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  // The library takes whatever an interlaced image inflates to.
  inflateSync(Buffer.concat(compressed), { maxOutputLength: INFLATED_BYTES });
  const signature = bytes.subarray(0, SIGNATURE_BYTES);
  const whole = [header, ...drawing].map((chunk) => chunk.bytes);
  const { width, height, data } = PNG.sync.read(Buffer.concat([signature, ...whole]));
  return { width, height, rgba: data };
}

interface Chunk {
  type: string;
  data: Buffer;
  /** All of it, with its length and its checksum. */
  bytes: Buffer;
}

/** The chunks up to the end of the image. @throws if it has none */
function* chunksOf(bytes: Buffer): Generator<Chunk> {
  for (let start = SIGNATURE_BYTES; ; ) {
    const end = start + CHUNK_FRAME_BYTES + bytes.readUInt32BE(start);
    if (end > bytes.length) throw new Error('no IEND');
    const type = bytes.toString('latin1', start + 4, start + 8);
    yield { type, data: bytes.subarray(start + 8, end - 4), bytes: bytes.subarray(start, end) };
    if (type === 'IEND') return;
    start = end;
  }
}
