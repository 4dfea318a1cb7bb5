/**
 * Stands in for the checksums of the AWS SDK in the bundles, which sign requests with SHA-256 and
 * use no other. The real ones bring SHA-256 in JavaScript along, for platforms that have none.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';

/** SHA-256 or, with a secret, HMAC-SHA-256, in the form in which the SDK asks for it. */
export class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | Uint8Array) {
    this.#secret = secret;
    this.#hash = this.#start();
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}
