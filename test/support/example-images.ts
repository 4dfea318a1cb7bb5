/**
 * Images for tests of logos: one picture of four quarters in the formats that may be registered, as
 * common tools save it, and PNGs made chunk by chunk, as nobody's tool would.
 */
import { crc32, deflateSync } from 'node:zlib';
import { type LogoFile, logoTypeOf, logoUriOf } from '../../lambdas/ciba/client/client-logo.ts';

/** 16 by 16 pixels; the quarters are red, blue, green and nearly white. */
export const quarters = {
  png: bytesOf(
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAKklEQVR42mM8IafBgA34yG3BKs7EQCIY1UAMYBRZYINV4lnUvtFQop8GAAHBBTnDkgCjAAAAAElFTkSuQmCC',
  ),
  'png with a palette': bytesOf(
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAgMAAABinRfyAAAADFBMVEX6+voUoDwUPNzIHigtr2p6AAAAGUlEQVR42mP8z7CagYmBgYEAwRAaykCMOgCgsQJy06+H1gAAAABJRU5ErkJggg==',
  ),
  jpeg: bytesOf(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAQABADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAACAcK/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABYBAQEBAAAAAAAAAAAAAAAAAAkHCP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ACOj5UE/N4CspAdoW0eLQ3w//9k=',
  ),
  'progressive jpeg': bytesOf(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wgARCAAQABADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABwYJ/8QAFgEBAQEAAAAAAAAAAAAAAAAACAYH/9oADAMBAAIQAxAAAAEjj1RPt4KqQdhdHrTfP//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAQUCH//EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQMBAT8BH//EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQIBAT8BH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEABj8CH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAT8hH//aAAwDAQACAAMAAAAQAA//xAAUEQEAAAAAAAAAAAAAAAAAAAAg/9oACAEDAQE/EB//xAAUEQEAAAAAAAAAAAAAAAAAAAAg/9oACAECAQE/EB//xAAUEAEAAAAAAAAAAAAAAAAAAAAg/9oACAEBAAE/EB//2Q==',
  ),
  gif: bytesOf(
    'R0lGODdhEAAQAIEAAPr6+hSgPBQ83MgeKCwAAAAAEAAQAAAIRgAHCBwoUIDBgwYJEkSIUOFAhgcdFoQoQOIAihUlYrS4USPFACBDggRAsiRJkSJNmkQZUmVJliNdAoAZQOZMmDZp5sQpMyAAOw==',
  ),
  'interlaced gif': bytesOf(
    'R0lGODdhEAAQAIEAAPr6+hSgPBQ83MgeKCwAAAAAEAAQAEAIRgAHCBwoUIDBgwYDKFyoEIDDhw4JEkSIkCFDiBAlDqR4UGNBjgIsLsT4UGRDkgA8DgApQCVLlyBhcjQZACUAmjZxotRJMiAAOw==',
  ),
  'animated gif': bytesOf(
    'R0lGODdhEAAQAIEAAPr6+hSgPBQ83MgeKCwAAAAAEAAQAAAIRgAHCBwoUIDBgwYJEkSIUOFAhgcdFoQoQOIAihUlYrS4USPFACBDggRAsiRJkSJNmkQZUmVJliNdAoAZQOZMmDZp5sQpMyAAIfkEAQAAAQAsAAAAABAAEACBAAAAAAAAAAAAAAAACB0AAQgcSLCgwYMIEypcyLChw4cQI0qcSLGixYEBAQA7',
  ),
};

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

/** The image as it is registered. */
export function fileOf(bytes: Buffer): LogoFile {
  const type = logoTypeOf(bytes);
  if (type === undefined) throw new Error('the image has no signature of its own');
  return { type, bytes };
}

/** The `logo_uri` of an image. */
export function logoUri(bytes: Buffer): string {
  return logoUriOf(fileOf(bytes));
}

const pngSignature = quarters.png.subarray(0, 8);

/** A chunk of a PNG, with its length and its checksum. */
export function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

interface PngHeader {
  width: number;
  height: number;
  isInterlaced?: boolean;
}

/** The header of a PNG of eight bits a colour, with alpha. */
export function header({ width, height, isInterlaced = false }: PngHeader): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([8, 6, 0, 0, isInterlaced ? 1 : 0], 8);
  return chunk('IHDR', data);
}

/** The signature of a PNG and these chunks, with the end. */
export function pngOf(...chunks: Buffer[]): Buffer {
  return Buffer.concat([pngSignature, ...chunks, chunk('IEND')]);
}

/** A PNG of these pixels, each red, green, blue and alpha. */
export function pngOfPixels(width: number, rgba: Buffer): Buffer {
  const height = rgba.length / 4 / width;
  const rows = Array.from({ length: height }, (_, row) =>
    Buffer.concat([Buffer.alloc(1), rgba.subarray(row * width * 4, (row + 1) * width * 4)]),
  );
  return pngOf(header({ width, height }), chunk('IDAT', deflateSync(Buffer.concat(rows))));
}

/** A PNG of one colour. */
export function plainPng(width: number, height: number, colour: number[]): Buffer {
  return pngOfPixels(width, Buffer.alloc(width * height * 4, Uint8Array.from(colour)));
}
