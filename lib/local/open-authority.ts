/**
 * The CA of a local host that serves https: made for one run, or kept in a folder, so that trust
 * which was given once lasts.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../operator/terminal/operator-error.ts';
import {
  canIssue,
  type Identity,
  issueAuthority,
  issueServerCertificate,
} from './issue-certificate.ts';

/** The mode of a file that its owner reads and writes, and nobody else. */
const OWNER_ALONE = 0o600;

/** A CA, and what it issued for this run. */
export interface Authority {
  /** The PEM file of its certificate, for clients to trust; no key is in it. */
  file: string;
  /** Of the server: a certificate made now, and a key that is nowhere but in memory. */
  server: Identity;
  /** Removes what was made for one run. */
  close(): Promise<void>;
}

/**
 * Opens the CA of a folder, which is made where there is none, or none that lasts
 * for another server's certificate. Without a folder it is one
 * for this run, whose key is never written. The caller has the folder locked.
 * @throws OperatorError if what the folder keeps is no CA with its key
 */
export async function openAuthority(folder: string | undefined, now: Date): Promise<Authority> {
  if (folder === undefined) return openForOneRun(now);
  const authority = await takeKept(folder, now);
  const file = join(folder, 'ca.pem');
  await writeWhole(file, authority.certificate);
  return {
    file,
    server: issueServerCertificate(authority, now),
    close: async () => {},
  };
}

async function openForOneRun(now: Date): Promise<Authority> {
  const authority = issueAuthority(now);
  const folder = await mkdtemp(join(tmpdir(), 'ciba-local-ca-'));
  const file = join(folder, 'ca.pem');
  await writeWhole(file, authority.certificate);
  return {
    file,
    server: issueServerCertificate(authority, now),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Key and certificate are one file, for its owner alone: no crash leaves the one without the other.
 */
async function takeKept(folder: string, now: Date): Promise<Identity> {
  const file = join(folder, 'ca-with-key.pem');
  const kept = await read(file);
  if (kept && canIssue(kept, now)) {
    // A copy of the folder may have made it readable.
    await chmod(file, OWNER_ALONE);
    return kept;
  }
  const authority = issueAuthority(now);
  const key = authority.privateKey.export({ format: 'pem', type: 'pkcs8' });
  await writeWhole(file, `${key}${authority.certificate}`);
  return authority;
}

async function read(file: string): Promise<Identity | undefined> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (Object(error).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const kept = parse(text);
  if (kept) return kept;
  throw new OperatorError(
    `${file} is no CA with its key: delete it, and --tls makes a new CA, which has to be trusted anew`,
  );
}

function parse(text: string): Identity | undefined {
  try {
    const certificate = new X509Certificate(text);
    const privateKey = createPrivateKey(text);
    const isWhole = certificate.ca && certificate.checkPrivateKey(privateKey);
    return isWhole ? { certificate: certificate.toString(), privateKey } : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever reads the file sees all of it; whoever is not its owner sees nothing. */
async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.part`;
  await rm(part, { force: true });
  await writeFile(part, text, { mode: OWNER_ALONE });
  await rename(part, file);
}
