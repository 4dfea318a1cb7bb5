/**
 * Certificates for this machine alone (RFC 5280): a CA that can vouch for localhost and for nothing
 * else, and the certificate of a server there. Node reads certificates but issues none: the
 * structures are those of a library, keys and signatures Node's.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** A certificate, and the key that goes with it. */
export interface Identity {
  /** PEM. */
  certificate: string;
  privateKey: KeyObject;
}

/** How long a CA is good for: trust that was given once lasts as long. */
const AUTHORITY_DAYS = 365;

/** How long the certificate of a server is good for; each start makes a new one. */
const SERVER_DAYS = 30;

const DAY_MILLISECONDS = 86_400_000;

/** By how much the clock of a container or a virtual machine of this machine may be behind. */
const CLOCK_SKEW_MILLISECONDS = 300_000;

const COMMON_NAME = '2.5.4.3';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

const localNames = [
  { dNSName: 'localhost' },
  { iPAddress: '127.0.0.1' },
  { iPAddress: '::1' },
] as const;

/** The same names as constraints, where an address is a network: here of that one address. */
const localSubtrees = [
  { dNSName: 'localhost' },
  { iPAddress: '127.0.0.1/32' },
  { iPAddress: '::1/128' },
] as const;

/**
 * A CA of a new key: whoever trusts it trusts it for localhost, 127.0.0.1 and ::1, should its key
 * ever be stolen.
 */
export function issueAuthority(now: Date): Identity {
  const { publicKey, privateKey } = generateKeys();
  const keyId = keyIdOf(publicKey);
  const name = nameOf(`CIBA provider on localhost ${keyId.toString('hex').slice(0, 8)}`);
  const permittedSubtrees = new GeneralSubtrees(
    localSubtrees.map((name) => new GeneralSubtree({ base: new GeneralName(name) })),
  );
  const certificate = issue(privateKey, {
    issuer: name,
    subject: name,
    publicKey,
    validity: validFor(AUTHORITY_DAYS, now),
    extensions: [
      critical(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
      critical(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign)),
      critical(id_ce_nameConstraints, new NameConstraints({ permittedSubtrees })),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId)),
    ],
  });
  return { certificate, privateKey };
}

/** A certificate of a new key, for a server that answers at localhost, 127.0.0.1 and ::1. */
export function issueServerCertificate(authority: Identity, now: Date): Identity {
  const { publicKey, privateKey } = generateKeys();
  const authorityKeyId = new KeyIdentifier(keyIdOf(createPublicKey(authority.privateKey)));
  const names = localNames.map((name) => new GeneralName(name));
  const certificate = issue(authority.privateKey, {
    issuer: subjectOf(authority.certificate),
    subject: nameOf('localhost'),
    publicKey,
    validity: validFor(SERVER_DAYS, now),
    extensions: [
      critical(id_ce_basicConstraints, new BasicConstraints({ cA: false })),
      critical(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature)),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, new SubjectAlternativeName(names)),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(publicKey))),
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: authorityKeyId }),
      ),
    ],
  });
  return { certificate, privateKey };
}

/** Whether the certificate of a server that the CA issues now would be good to its end. */
export function canIssue({ certificate }: Identity, now: Date): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const end = validFor(SERVER_DAYS, now).notAfter.getTime();
  return new Date(validFrom) <= now && end <= new Date(validTo);
}

/** What differs from one certificate to another. */
interface Subject {
  issuer: Name;
  subject: Name;
  publicKey: KeyObject;
  validity: Validity;
  extensions: Extension[];
}

/** The certificate as PEM, signed with the issuer's key. */
function issue(issuerKey: KeyObject, { publicKey, extensions, ...subject }: Subject): string {
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const tbsCertificate = new TBSCertificate({
    ...subject,
    version: Version.v3,
    serialNumber: randomSerial(),
    signature: signatureAlgorithm,
    subjectPublicKeyInfo: publicKeyInfoOf(publicKey),
    extensions: new Extensions(extensions),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const signatureValue = bytesOf(sign('sha256', signed, issuerKey));
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}

function generateKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Positive, of 20 bytes at most, and not to be guessed (RFC 5280, 4.1.2.2). */
function randomSerial(): ArrayBuffer {
  return bytesOf(Buffer.concat([Buffer.of(0x01), randomBytes(16)]));
}

function validFor(days: number, now: Date): Validity {
  return new Validity({
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MILLISECONDS),
    notAfter: new Date(now.getTime() + days * DAY_MILLISECONDS),
  });
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  const attribute = new AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function subjectOf(certificate: string): Name {
  const { raw } = new X509Certificate(certificate);
  return AsnConvert.parse(raw, Certificate).tbsCertificate.subject;
}

function publicKeyInfoOf(publicKey: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(publicKey.export({ format: 'der', type: 'spki' }), SubjectPublicKeyInfo);
}

/** As RFC 7093, section 2, item 1 has it. */
function keyIdOf(publicKey: KeyObject): Buffer {
  const { subjectPublicKey } = publicKeyInfoOf(publicKey);
  return createHash('sha256').update(Buffer.from(subjectPublicKey)).digest().subarray(0, 20);
}

function extension(extnID: string, value: object): Extension {
  return new Extension({ extnID, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function critical(extnID: string, value: object): Extension {
  return Object.assign(extension(extnID, value), { critical: true });
}

/** The bytes alone: a small buffer of Node's is a window on a larger one. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
