/** Where the CA of the local host is kept, and that nobody else reads its key. */
import { X509Certificate } from 'node:crypto';
import { access, chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issueAuthority } from '../../../lib/local/issue-certificate.ts';
import { openAuthority } from '../../../lib/local/open-authority.ts';

const now = new Date();
const daysLater = (days: number) => new Date(now.getTime() + days * 86_400_000);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ciba-authority-'));
});
afterEach(() => rm(folder, { recursive: true }));

const text = (file: string) => readFile(file, 'utf8');
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;
const kept = () => join(folder, 'ca-with-key.pem');

describe('openAuthority without a folder', () => {
  it('P50: writes the certificate alone, for one run, and no key', async () => {
    const { file, server, close } = await openAuthority(undefined, now);
    expect(await readdir(dirname(file))).toEqual(['ca.pem']);
    expect((await text(file)).match(/BEGIN [A-Z ]+/g)).toEqual(['BEGIN CERTIFICATE']);
    const authority = new X509Certificate(await text(file));
    expect(new X509Certificate(server.certificate).verify(authority.publicKey)).toBe(true);
    await close();
    await expect(access(dirname(file))).rejects.toThrow('ENOENT');
  });

  it('P50: each run has a CA of its own', async () => {
    const [one, other] = [await openAuthority(undefined, now), await openAuthority(undefined, now)];
    expect(await text(one.file)).not.toBe(await text(other.file));
    await Promise.all([one.close(), other.close()]);
  });
});

describe('openAuthority with a folder', () => {
  it('P50: keeps the CA, whose key its owner alone can read, and issues anew at each start', async () => {
    const first = await openAuthority(folder, now);
    await first.close();
    const trusted = await text(first.file);
    const second = await openAuthority(folder, daysLater(300));
    expect([second.file, await text(second.file)]).toEqual([first.file, trusted]);
    expect(second.server.certificate).not.toBe(first.server.certificate);
    expect(new X509Certificate(trusted).verify(new X509Certificate(trusted).publicKey)).toBe(true);
    const { publicKey } = new X509Certificate(trusted);
    expect(new X509Certificate(second.server.certificate).verify(publicKey)).toBe(true);
    expect(trusted).not.toContain('PRIVATE');
    expect(await text(kept())).toContain('PRIVATE');
    expect(await modeOf(kept())).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(['ca-with-key.pem', 'ca.pem']);
  });

  it.each([
    ['expires too soon', 340],
    ['has expired', 400],
    ['is not valid yet, as after a wrong clock', -10],
  ])('P50: makes a new CA where the kept one %s', async (_, days) => {
    const first = await openAuthority(folder, now);
    const trusted = await text(first.file);
    const second = await openAuthority(folder, daysLater(days));
    expect(await text(second.file)).not.toBe(trusted);
    expect(await modeOf(kept())).toBe(0o600);
    const { publicKey } = new X509Certificate(await text(second.file));
    expect(new X509Certificate(second.server.certificate).verify(publicKey)).toBe(true);
  });

  it('P50: leaves no key open to others, whatever an interrupted start or a copy left', async () => {
    await writeFile(`${kept()}.part`, 'half', { mode: 0o644 });
    await openAuthority(folder, now);
    expect(await modeOf(kept())).toBe(0o600);
    await chmod(kept(), 0o644);
    await openAuthority(folder, now);
    expect(await modeOf(kept())).toBe(0o600);
  });

  it('P50: gives the certificate again where it was deleted or changed', async () => {
    const { file } = await openAuthority(folder, now);
    const trusted = await text(file);
    await rm(file);
    await openAuthority(folder, now);
    expect(await text(file)).toBe(trusted);
    await writeFile(file, issueAuthority(now).certificate);
    await openAuthority(folder, now);
    expect(await text(file)).toBe(trusted);
  });

  const whole = issueAuthority(now);
  const key = whole.privateKey.export({ format: 'pem', type: 'pkcs8' });
  it.each([
    ['nothing', ''],
    ['a text', 'no PEM'],
    ['a key alone', key],
    ['a certificate alone', whole.certificate],
    ['the key of another', `${key}${issueAuthority(now).certificate}`],
    ['half a file', `${key}${whole.certificate}`.slice(0, 500)],
  ])('P50: names the file and the way out where it holds %s', async (_, content) => {
    await writeFile(kept(), content);
    await expect(openAuthority(folder, now)).rejects.toThrow(
      `${kept()} is no CA with its key: delete it, and --tls makes a new CA, which has to be trusted anew`,
    );
    expect(await text(kept())).toBe(content);
  });
});
