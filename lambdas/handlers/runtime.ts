/**
 * What every function takes from the runtime it lives in: the clock, a timer, randomness, standard output.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createLog } from '../log.ts';
import type { Clock, Entropy, Pause } from '../ports.ts';

const clock: Clock = () => Date.now() / 1000;
const entropy: Entropy = (bytes) => randomBytes(bytes);
const pause: Pause = (seconds) => setTimeout(Math.ceil(seconds * 1000));

/** One log line per event goes to standard output as it is. */
const log = createLog((line) => process.stdout.write(line));

export const runtime = { clock, entropy, pause, log };
