/** Reads a JPEG (ITU-T T.81) that somebody else made, for a client's logo (`logo_uri`). */
import { decode } from 'jpeg-js';
import { assertReadable, type Pixels, READ_SIDE } from './pixels.ts';

/** Baseline, extended and progressive: what follows the byte 0xff at the start of a frame. */
const frameMarkers = [0xc0, 0xc1, 0xc2];
const START_OF_SCAN = 0xda;

/** A progressive image has ten or so; each goes through all its pixels again. */
const SCANS = 100;

const MEGA = 1_000_000;

/** What the library may take at most; an image of the longest sides takes half of it. */
const MEMORY_MEGABYTES = 256;

/**
 * The pixels of a JPEG. Metadata is not looked at, nor is what follows the end.
 * @throws OperatorError for an image that is too large, before it is decompressed; another error
 * for one that is damaged, or of a rare kind
 */
export function readJpeg(bytes: Buffer): Pixels {
  const { width, height } = readFrame(bytes);
  assertReadable(width, height);
  assertFewScans(bytes);
  const image = decode(bytes, {
    useTArray: true,
    tolerantDecoding: false,
    maxResolutionInMP: (READ_SIDE * READ_SIDE) / MEGA,
    maxMemoryUsageInMB: MEMORY_MEGABYTES,
  });
  return { width: image.width, height: image.height, rgba: image.data };
}

/** What the first frame says of itself. @throws if there is none before the first scan */
function readFrame(bytes: Buffer): { width: number; height: number } {
  for (const { marker, start } of segmentsOf(bytes)) {
    if (marker === START_OF_SCAN) break;
    if (!frameMarkers.includes(marker)) continue;
    return { height: bytes.readUInt16BE(start + 3), width: bytes.readUInt16BE(start + 5) };
  }
  throw new Error('no frame');
}

/**
 * The segments before the first scan, and that scan; each starts with its length. @throws if there
 * is no scan
 */
function* segmentsOf(bytes: Buffer): Generator<{ marker: number; start: number }> {
  for (let offset = 2; ; ) {
    if (bytes.readUInt8(offset) !== 0xff) throw new Error('no marker');
    const marker = bytes.readUInt8(offset + 1);
    // Any number of 0xff may stand before a marker.
    if (marker !== 0xff) yield { marker, start: offset + 2 };
    if (marker === START_OF_SCAN) return;
    offset += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(offset + 2);
  }
}

/** @throws if the image is drawn over and over */
function assertFewScans(bytes: Buffer): void {
  const first = [...segmentsOf(bytes)].at(-1)?.start;
  const scans = bytes.toString('latin1', first).split('\xff\xda').length;
  if (scans > SCANS) throw new Error(`more than ${SCANS} scans`);
}
