/** Comparison of secrets and MACs. */
import { timingSafeEqual } from 'node:crypto';

/**
 * Whether two texts are the same. Of texts of one length the time tells nothing; the length is no
 * secret.
 */
export function equalTexts(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
