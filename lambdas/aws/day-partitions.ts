/**
 * The partitions of the index by day. A day has 16: the row is a hash of the client, modulo 4, and
 * the column a hash of the user, modulo 4. Writes spread evenly, and a query for one client or one
 * user reads 4 of the 16.
 */
import { createHash } from 'node:crypto';
import { dayOf } from '../ciba/day.ts';

const ROWS = 4;
const COLUMNS = 4;

/** The facts that the partition of a request is drawn by. None of them ever changes. */
interface Drawn {
  ref: string;
  clientId: string;
  sub?: string | undefined;
  createdAt: number;
}

/** The client and the user of a query. One that names neither asks for all requests. */
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
