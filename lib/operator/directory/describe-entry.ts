/** A client or a user as a table that a person reads: no number that only a program knows. */

import { showUtcTime } from '../terminal/show-time.ts';
import { showValue } from './print-plan.ts';

/** What no column has room for, and what only programs compare. */
const leftOut = ['logo_uri', 'contact_version'];

/**
 * The rows of an entry: a member, and its value in words; without the address of a logo, and
 * without numbers of versions.
 */
export function memberRows(members: Record<string, unknown>): string[][] {
  return Object.entries(members)
    .filter(([member]) => !leftOut.includes(member))
    .map(([member, value]) => rowOf(member, value));
}

function rowOf(member: string, value: unknown): string[] {
  if (member === 'version' && typeof value === 'number') return registeredRow(value);
  if (member === 'tokens_not_before' && typeof value === 'string') {
    return [member, showInstant(Date.parse(value) / 1000)];
  }
  return [member, showValue(value)];
}

/** An entry is registered under the millisecond of that, and every change counts one more. */
function registeredRow(version: number): string[] {
  return ['registered', showInstant(Math.floor(version / 1000))];
}

/** `2026-11-27 20:48:46 UTC`. @param at epoch seconds */
export function showInstant(at: number): string {
  return `${showUtcTime(at)} UTC`;
}
