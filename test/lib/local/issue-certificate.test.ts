/**
 * The CA of the local host and what it issues, as verifiers see them: good for this machine, and
 * for nothing else.
 */
import { createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { checkServerIdentity, connect, createServer, type PeerCertificate } from 'node:tls';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  Certificate,
  GeneralName,
  id_ce_subjectAltName,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import {
  canIssue,
  type Identity,
  issueAuthority,
  issueServerCertificate,
} from '../../../lib/local/issue-certificate.ts';

const now = new Date();
const authority = issueAuthority(now);
const server = issueServerCertificate(authority, now);
const daysLater = (days: number) => new Date(now.getTime() + days * 86_400_000);

/**
 * The same certificate with other names, signed by the same CA: what a thief of its key would make.
 */
function rename({ certificate, privateKey }: Identity, name: GeneralName): Identity {
  const parsed = AsnConvert.parse(new X509Certificate(certificate).raw, Certificate);
  for (const extension of parsed.tbsCertificate.extensions ?? []) {
    if (extension.extnID !== id_ce_subjectAltName) continue;
    const names = AsnConvert.serialize(new SubjectAlternativeName([name]));
    extension.extnValue = new OctetString(names);
  }
  const signed = Buffer.from(AsnConvert.serialize(parsed.tbsCertificate));
  parsed.signatureValue = new Uint8Array(sign('sha256', signed, authority.privateKey)).buffer;
  const forged = new X509Certificate(Buffer.from(AsnConvert.serialize(parsed)));
  return { certificate: forged.toString(), privateKey };
}

const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' });

/** What a client that trusts `ca` says of a server. */
async function verify(identity: Identity, ca: string, servername?: string): Promise<string> {
  const listener = createServer({ cert: identity.certificate, key: pem(identity.privateKey) });
  listener.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = Object(listener.address());
  const client = connect({ host: '127.0.0.1', port, ca, ...(servername && { servername }) });
  const outcome = await new Promise<string>((resolve) => {
    client.once('secureConnect', () => resolve('trusted'));
    client.once('error', (error) => resolve(error.message));
  });
  client.destroy();
  listener.close();
  return outcome;
}

describe('issueServerCertificate', () => {
  it('P50: is good for each name of this machine, by whoever trusts the CA', async () => {
    expect(await verify(server, authority.certificate)).toBe('trusted');
    expect(await verify(server, authority.certificate, 'localhost')).toBe('trusted');
    const { subjectAltName } = new X509Certificate(server.certificate);
    for (const name of ['localhost', '127.0.0.1', '::1']) {
      const peer = { subject: {}, subjectaltname: subjectAltName } as PeerCertificate;
      expect(checkServerIdentity(name, peer)).toBeUndefined();
    }
  });

  it('P50: is refused for any other name, and by whoever trusts another CA of ours', async () => {
    expect(await verify(server, authority.certificate, 'bank.example')).toMatch(/altnames/);
    expect(await verify(server, issueAuthority(now).certificate)).toMatch(/unable to verify/);
  });

  it('P50: is for servers alone, of P-256, for thirty days at most, and no CA', () => {
    const certificate = new X509Certificate(server.certificate);
    expect([certificate.ca, certificate.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.1']]);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(new Date(certificate.validFrom).getTime()).toBeLessThan(now.getTime());
    expect(new Date(certificate.validTo).getTime()).toBeLessThanOrEqual(daysLater(30).getTime());
    expect(certificate.verify(createPublicKey(authority.privateKey))).toBe(true);
  });

  it('P50: no two are alike in key or number', () => {
    const made = Array.from({ length: 20 }, () => issueServerCertificate(authority, now));
    const parsed = made.map(({ certificate }) => new X509Certificate(certificate));
    expect(new Set(parsed.map(({ serialNumber }) => serialNumber)).size).toBe(20);
    expect(new Set(made.map(({ privateKey }) => pem(privateKey))).size).toBe(20);
  });
});

describe('issueAuthority', () => {
  it('P50: is a CA of P-256 with a name of its own', () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.subject).toMatch(/^CN=CIBA provider on localhost [\da-f]{8}$/);
    expect(new X509Certificate(issueAuthority(now).certificate).subject).not.toBe(
      certificate.subject,
    );
  });

  it.each([
    ['a name', 'bank.example', new GeneralName({ dNSName: 'bank.example' })],
    ['a name that ends like it', 'xlocalhost', new GeneralName({ dNSName: 'xlocalhost' })],
    ['an address', undefined, new GeneralName({ iPAddress: '10.0.0.1' })],
    ['an address of IPv6', undefined, new GeneralName({ iPAddress: '::2' })],
  ])('P50: vouches for no other machine: %s', async (_, servername, name) => {
    const forged = rename(server, name);
    expect(await verify(forged, authority.certificate, servername)).toBe(
      'permitted subtree violation',
    );
  });

  it('P50: lets no server sign for others', async () => {
    const local = rename(server, new GeneralName({ dNSName: 'localhost' }));
    expect(await verify(local, authority.certificate, 'localhost')).toBe('trusted');
    const below = issueServerCertificate(
      { certificate: server.certificate, privateKey: server.privateKey },
      now,
    );
    const chain = { ...below, certificate: below.certificate + server.certificate };
    expect(await verify(chain, authority.certificate, 'localhost')).toMatch(
      /key usage does not include certificate signing|invalid CA/,
    );
  });
});

describe('canIssue', () => {
  it.each([
    [0, true],
    [300, true],
    [334, true],
    [336, false],
    [400, false],
    [-1, false],
  ])('P50: %i days after the CA was made it is %s', (days, expected) => {
    expect(canIssue(authority, daysLater(days))).toBe(expected);
  });
});
