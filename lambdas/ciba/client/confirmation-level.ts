/** The confirmation levels of clients and requests, with the `acr` of each (CIBA Core 7.1). */

/** The confirmation levels a client can be registered with. */
export const confirmationLevels = ['link', 'code'] as const;

export type ConfirmationLevel = (typeof confirmationLevels)[number];

/** The authentication context class (`acr`) that stands for a level. */
export function authenticationContext(issuer: string, level: ConfirmationLevel): string {
  return `${issuer}/acr/${level}`;
}
