/**
 * The logo of a client (OpenID Connect Registration 2): registered as an image, shown on the
 * approval page, served from here (threats T31).
 */
import { describe, expect, it } from 'vitest';
import { decide, imagesOf, open } from './authentication-device.ts';
import { start } from './consumption-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic, branded } = clients;
const user = users.logos;

async function mailed(client: typeof basic | typeof branded) {
  const request = await start(client, user.username);
  return mailOf(user.email, request.ref);
}

/** Where the logo is. */
async function logoAddress(): Promise<string> {
  const { link } = await mailed(branded);
  const [source = ''] = imagesOf(await open(link));
  return new URL(source, issuer).href;
}

describe('the page of a client with a logo', () => {
  it('shows it from the issuer, and lets no other image in; the mail shows none', async () => {
    const { link, html: mail } = await mailed(branded);
    const { html, headers } = await open(link);
    const sources = imagesOf({ html });
    expect(sources).toHaveLength(1);
    expect(sources[0]).toMatch(/^\/logo\/branded\/[\w-]{43}$/);
    expect(headers.get('content-security-policy')).toContain("img-src 'self';");
    expect(html).toContain('Fuel &amp; Go, branded');
    expect(mail).not.toContain('<img');
    const decided = await decide(link, 'deny');
    expect(imagesOf(decided)).toEqual([]);
    expect(decided.headers.get('content-security-policy')).not.toContain('img-src');
  });

  it('and that of a client without one has no image', async () => {
    const { html, headers } = await open((await mailed(basic)).link);
    expect(imagesOf({ html })).toEqual([]);
    expect(headers.get('content-security-policy')).not.toContain('img-src');
  });
});

describe('the logo', () => {
  it('is a PNG, byte for byte, that runs nothing and is kept for a year', async () => {
    const response = await fetch(await logoAddress());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
    expect(bytes.subarray(-8).toString('hex')).toBe('49454e44ae426082');
    const digest = await crypto.subtle.digest('SHA-256', bytes);
    expect(response.url.endsWith(`/${Buffer.from(digest).toString('base64url')}`)).toBe(true);
  });

  it('has the same headers for HEAD, and no body', async () => {
    const response = await fetch(await logoAddress(), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  it('is at its own address alone', async () => {
    const address = await logoAddress();
    for (const other of [
      address.slice(0, -1),
      `${address}x`,
      address.replace('/branded/', '/basic-rs256/'),
      address.replace('/branded/', '/nobody/'),
      `${issuer}/logo/branded/${'A'.repeat(43)}`,
    ]) {
      expect([other, (await fetch(other)).status]).toEqual([other, 404]);
    }
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
  });
});
