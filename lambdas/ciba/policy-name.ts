/** The names of notification policies and flow policies, as settings and clients write them. */

/** What a policy may be called, for an operator. */
export const POLICY_NAME_RULE = '1 to 64 of a-z 0-9 -, a letter first';

export function isPolicyName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text);
}
