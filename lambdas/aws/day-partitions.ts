/**
 * How the requests of a day are spread over partitions of the index by day: a grid whose row is drawn by the client and whose
 * column by the user. Writes spread as if drawn by chance, and who asks for one client or one user reads a quarter of the day.
 */
import { createHash } from 'node:crypto';
import { dayOf } from '../ciba/day.ts';

const ROWS = 4;
const COLUMNS = 4;

/** What the partition of a request is drawn by; none of it ever changes. */
interface Drawn {
  ref: string;
  clientId: string;
  sub?: string | undefined;
  createdAt: number;
}

/** Whose requests are asked for; all of them if it says nothing. */
export interface Whose {
  clientId?: string | undefined;
  sub?: string | undefined;
}

/** `2026-11-23#7`: the day of the request (UTC) and its partition. */
export function dayPartition({ ref, clientId, sub, createdAt }: Drawn): string {
  // What is for nobody must not crowd in one column: whoever guesses users makes many of these.
  const column = draw(sub || ref, COLUMNS);
  return partition(dayOf(createdAt), draw(clientId, ROWS), column);
}

/** The partitions of a day, as {@link dayOf} names it, which hold all that is asked for. */
export function dayPartitions(day: string, { clientId, sub }: Whose): string[] {
  const rows = clientId === undefined ? upTo(ROWS) : [draw(clientId, ROWS)];
  const columns = sub === undefined ? upTo(COLUMNS) : [draw(sub, COLUMNS)];
  return rows.flatMap((row) => columns.map((column) => partition(day, row, column)));
}

function partition(day: string, row: number, column: number): string {
  return `${day}#${row * COLUMNS + column}`;
}

/** A hash, since ids may be numbered: in turn, or in steps. */
function draw(text: string, sides: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE() % sides;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
