/**
 * What becomes of a registered image (threats T31): the same picture, smaller, with nothing else of
 * the file in it; or a refusal that says why.
 */

import { createHash, randomBytes } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { describe, expect, it, vi } from 'vitest';
import { parseLogoUri } from '../../../../lambdas/ciba/client/client-logo.ts';
import { encodeLogo } from '../../../../lib/operator/images/encode-logo.ts';
import { OperatorError } from '../../../../lib/operator/terminal/operator-error.ts';
import {
  chunk,
  fileOf,
  header,
  logoUri,
  plainPng,
  pngOf,
  pngOfPixels,
  quarters,
} from '../../../support/example-images.ts';
import { processorTime } from '../../../support/processor-time.ts';

const logoOf = (bytes: Buffer) => encodeLogo(fileOf(bytes));

/** The picture of a logo. */
const drawn = (bytes: Buffer) => PNG.sync.read(Buffer.from(logoOf(bytes).png));

function pixel({ width, data }: PNG, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 4, (y * width + x + 1) * 4)];
}

/** The names of a PNG's chunks, and what follows the last. */
function anatomy(png: Uint8Array): { chunks: string[]; rest: string } {
  const bytes = Buffer.from(png);
  const chunks: string[] = [];
  let start = 8;
  while (start < bytes.length && chunks.at(-1) !== 'IEND') {
    chunks.push(bytes.toString('latin1', start + 4, start + 8));
    start += 12 + bytes.readUInt32BE(start);
  }
  return { chunks, rest: bytes.toString('latin1', start) };
}

const red = [255, 0, 0, 255];

describe('the logo', () => {
  it.each(Object.entries(quarters))('of a %s is its picture', (_kind, bytes) => {
    const image = drawn(bytes);
    expect([image.width, image.height]).toEqual([16, 16]);
    const colours = [
      { at: [3, 3], colour: [200, 30, 40] },
      { at: [12, 3], colour: [20, 60, 220] },
      { at: [3, 12], colour: [20, 160, 60] },
      { at: [12, 12], colour: [250, 250, 250] },
    ];
    for (const { at, colour } of colours) {
      const [x = 0, y = 0] = at;
      const seen = pixel(image, x, y);
      // A JPEG keeps colours as nearly as it likes.
      const distance = Math.max(
        ...colour.map((value, index) => Math.abs(value - (seen[index] ?? 0))),
      );
      expect([at, seen[3], distance <= 4]).toEqual([at, 255, true]);
    }
  });

  it.each([
    ['is kept as large as it is', 48, 48, 48, 48],
    ['fits 192 by 192', 384, 384, 192, 192],
    ['keeps its proportions', 400, 100, 192, 48],
    ['stays visible, however thin', 1, 2048, 1, 192],
  ])('%s', (_what, width, height, toWidth, toHeight) => {
    const image = drawn(plainPng(width, height, red));
    expect([image.width, image.height]).toEqual([toWidth, toHeight]);
    expect(pixel(image, 0, toHeight - 1)).toEqual(red);
  });

  it('is the mean of what its pixels cover', () => {
    const stripes = Buffer.concat(
      Array.from({ length: 576 * 3 }, (_, n) =>
        Buffer.from(n % 3 === 1 ? [0, 0, 0, 255] : [90, 150, 240, 255]),
      ),
    );
    const image = drawn(pngOfPixels(576, stripes));
    expect([image.width, image.height]).toEqual([192, 1]);
    for (const x of [0, 100, 191]) expect(pixel(image, x, 0)).toEqual([60, 100, 160, 255]);
  });

  it('takes no colour from what is transparent', () => {
    const dots = Buffer.concat(
      Array.from({ length: 384 * 2 }, (_, n) =>
        Buffer.from(n % 2 === 0 ? [0, 200, 0, 255] : [255, 0, 255, 0]),
      ),
    );
    expect(pixel(drawn(pngOfPixels(384, dots)), 5, 0)).toEqual([0, 200, 0, 128]);
  });

  it('takes none from what is nearly so', () => {
    const dots = Buffer.concat(
      Array.from({ length: 768 * 4 }, (_, n) =>
        Buffer.from(n % 4 === 0 ? [200, 200, 200, 1] : [0, 0, 0, 0]),
      ),
    );
    expect(pixel(drawn(pngOfPixels(768, dots)), 5, 0)).toEqual([0, 0, 0, 0]);
  });

  it('is the same bytes whenever the same image is registered, on any machine', () => {
    const image = pngOfPixels(
      300,
      Buffer.from(Array.from({ length: 300 * 200 * 4 }, (_, n) => (n * n + (n >> 7)) % 256)),
    );
    const { png, hash } = logoOf(image);
    expect(hash).toBe(createHash('sha256').update(png).digest('base64url'));
    expect(logoOf(image).hash).toBe(hash);
    expect(hash).toBe('kvR8P4WNpLn1GfRiqT0GDi5r5Cq4skFwW7kiOiCwbSU');
  });

  it('is at most half of what an item of DynamoDB holds, whatever it shows', () => {
    const noise = pngOfPixels(192, randomBytes(192 * 192 * 4));
    expect(logoOf(noise).png.length).toBeLessThan(150_000);
  });

  it('is written for a registered image of the largest size', () => {
    const { width, height } = drawn(plainPng(2048, 2048, red));
    expect([width, height]).toEqual([192, 192]);
  });
});

describe('T31: nothing of the file but its picture is in the logo', () => {
  const canary = '<script>canary()</script>';
  const text = Buffer.from(canary);
  const pixels = chunk('IDAT', deflateSync(Buffer.from([0, ...red])));

  it.each<[string, Buffer]>([
    [
      'text and metadata in a PNG',
      pngOf(
        header({ width: 1, height: 1 }),
        chunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), text])),
        chunk('eXIf', text),
        pixels,
      ),
    ],
    ['a page behind a PNG', Buffer.concat([quarters.png, text])],
    ['a page behind a JPEG', Buffer.concat([quarters.jpeg, text])],
    ['a page behind a GIF', Buffer.concat([quarters.gif, text])],
    [
      'a page in a comment of a JPEG',
      Buffer.concat([
        quarters.jpeg.subarray(0, 2),
        Buffer.from([0xff, 0xfe, 0, text.length + 2]),
        text,
        quarters.jpeg.subarray(2),
      ]),
    ],
    [
      'a page in a comment of a GIF',
      Buffer.concat([
        quarters.gif.subarray(0, 25),
        Buffer.from([0x21, 0xfe, text.length]),
        text,
        Buffer.from([0]),
        quarters.gif.subarray(25),
      ]),
    ],
    [
      'colours of what is not seen',
      pngOfPixels(
        canary.length,
        Buffer.from([...canary].flatMap((c) => [c.charCodeAt(0), 0, 0, 0])),
      ),
    ],
  ])('%s', (_what, bytes) => {
    const { png } = logoOf(bytes);
    expect(anatomy(png)).toEqual({ chunks: ['IHDR', 'IDAT', 'IEND'], rest: '' });
    expect(Buffer.from(png).includes(canary)).toBe(false);
    const { data } = PNG.sync.read(Buffer.from(png));
    expect(data.toString('latin1').replaceAll('\0', '')).not.toContain('script');
  });

  it('of an animation its first picture', () => {
    expect(logoOf(quarters['animated gif']).hash).toBe(logoOf(quarters.gif).hash);
  });

  it('and the logo is an image that may itself be registered', () => {
    const { png, hash } = logoOf(quarters.png);
    const file = parseLogoUri(logoUri(Buffer.from(png)));
    expect(file && encodeLogo(file).hash).toBe(hash);
  });
});

describe('T31: an image that is too large is refused before it is decompressed', () => {
  const largeJpeg = Buffer.from(quarters.jpeg);
  const frame = largeJpeg.indexOf(Buffer.from([0xff, 0xc0]));
  largeJpeg.writeUInt16BE(65_000, frame + 5);
  const largeGif = Buffer.from(quarters.gif);
  largeGif.writeUInt16LE(65_000, 6);
  const bomb = chunk('IDAT', deflateSync(Buffer.alloc(100_000_000)));

  it.each<[string, Buffer, string]>([
    ['a PNG', pngOf(header({ width: 2049, height: 1 }), bomb), '2049 × 1'],
    ['a PNG of no width', pngOf(header({ width: 0, height: 5 }), bomb), '0 × 5'],
    ['a PNG of billions', pngOf(header({ width: 2 ** 31, height: 2 ** 31 }), bomb), '2147483648'],
    ['a JPEG', largeJpeg, '16 × 65000'],
    ['a GIF', largeGif, '65000 × 16'],
  ])('%s', (_what, bytes, size) => {
    const refusing = processorTime();
    expect(() => logoOf(bytes)).toThrow(OperatorError);
    expect(() => logoOf(bytes)).toThrow(size);
    expect(() => logoOf(bytes)).toThrow('allowed: 1 to 2048 in each direction');
    const inflating = processorTime();
    inflateSync(bomb.subarray(8, -4));
    expect(inflating - refusing).toBeLessThan(processorTime() - inflating);
  });

  it.each<[string, Buffer]>([
    ['that inflates to more than its size', pngOf(header({ width: 4, height: 4 }), bomb)],
    ['that does so interlaced', pngOf(header({ width: 4, height: 4, isInterlaced: true }), bomb)],
  ])('and so is a PNG %s', (_what, bytes) => {
    expect(() => logoOf(bytes)).toThrow('is no PNG that can be drawn');
    expect(() => logoOf(bytes)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }) }),
    );
  });

  it('and a second header changes nothing', () => {
    const twoHeaders = pngOf(
      header({ width: 1, height: 1 }),
      header({ width: 60_000, height: 60_000 }),
      chunk('IDAT', deflateSync(Buffer.from([0, ...red]))),
    );
    expect(drawn(twoHeaders).width).toBe(1);
  });

  it('and so is a JPEG that is drawn over and over', () => {
    const start = quarters['progressive jpeg'].lastIndexOf(Buffer.from([0xff, 0xda]));
    const scan = quarters['progressive jpeg'].subarray(start, -2);
    const scans = Array.from({ length: 200 }, () => scan);
    const bytes = Buffer.concat([quarters['progressive jpeg'].subarray(0, -2), ...scans]);
    const whole = Buffer.concat([bytes, Buffer.from([0xff, 0xd9])]);
    expect(() => logoOf(whole)).toThrow('is no JPEG that can be drawn');
  });
});

describe('T31: an image that is not whole is refused', () => {
  it.each(Object.entries(quarters))('a %s cut off anywhere', (kind, bytes) => {
    // A GIF's picture is whole without what comes after it.
    const end = kind.endsWith('gif') ? quarters.gif.length - 2 : bytes.length;
    const shortest = kind.endsWith('gif') ? 6 : 8;
    for (let length = shortest; length < end; length += 1) {
      expect([length, attempt(bytes.subarray(0, length))]).toEqual([length, 'refused']);
    }
  });

  it('says what to do, and nothing is printed besides', () => {
    const printed = vi.spyOn(console, 'log');
    expect(() => logoOf(quarters.gif.subarray(0, 60))).toThrow(
      'is no GIF that can be drawn: it is damaged, cut off, or of a rare kind; save it again as a PNG',
    );
    expect(printed).not.toHaveBeenCalled();
  });

  it('a PNG whose checksum is wrong', () => {
    const bytes = Buffer.from(quarters.png);
    bytes[45] = 255 - (bytes[45] ?? 0);
    expect(attempt(bytes)).toBe('refused');
  });

  it.each<[string, Buffer]>([
    ['an SVG behind the signature of a PNG', Buffer.concat([quarters.png.subarray(0, 8), svg()])],
    ['an SVG behind that of a JPEG', Buffer.concat([quarters.jpeg.subarray(0, 3), svg()])],
    ['an SVG behind that of a GIF', Buffer.concat([quarters.gif.subarray(0, 6), svg()])],
    ['a GIF that ends before its picture does', gifOfCodes(0x2c)],
    ['a GIF with a code that stands for nothing', gifOfCodes(0x3c)],
    ['a PNG without pixels', pngOf(header({ width: 1, height: 1 }))],
    ['a PNG without a header', pngOf(chunk('IDAT', deflateSync(Buffer.alloc(5))))],
  ])('%s', (_what, bytes) => {
    expect(attempt(bytes)).toBe('refused');
  });

  it('and whatever is changed in one, it is drawn or refused: nothing else is thrown', () => {
    for (const bytes of Object.values(quarters)) {
      for (let at = 8; at < bytes.length; at += 3) {
        const changed = Buffer.from(bytes);
        changed[at] = 255 - (changed[at] ?? 0);
        expect(['drawn', 'refused']).toContain(attempt(changed));
      }
    }
  });
});

/** A GIF of one pixel, whose codes of three bits are these: 4 clears, 5 ends. */
function gifOfCodes(codes: number): Buffer {
  const screen = [1, 0, 1, 0, 0x80, 0, 0, ...[0, 0, 0], ...[255, 255, 255]];
  const picture = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 1, codes, 0];
  return Buffer.concat([Buffer.from('GIF89a'), Buffer.from([...screen, ...picture, 0x3b])]);
}

function svg(): Buffer {
  return Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'.repeat(4));
}

/** What becomes of an image. @throws what is not meant for the operator */
function attempt(bytes: Buffer): 'drawn' | 'refused' {
  try {
    logoOf(bytes);
    return 'drawn';
  } catch (error) {
    if (error instanceof OperatorError) return 'refused';
    throw error;
  }
}
