/**
 * What every function takes from the runtime it lives in: the clock, randomness, standard output.
 */
import { randomBytes } from 'node:crypto';
import { createLog } from '../log.ts';
import type { Clock, Entropy } from '../ports.ts';

const clock: Clock = () => Date.now() / 1000;
const entropy: Entropy = (bytes) => randomBytes(bytes);

/** One log line per event goes to standard output as it is. */
const log = createLog((line) => process.stdout.write(line));

export const runtime = { clock, entropy, log };
