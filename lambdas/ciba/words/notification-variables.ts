/** What an operator's mail template may say of a request. */

/** The variables of templates, written `${name}`. */
export const notificationVariables = [
  'appName',
  'magicLink',
  'bindingMessage',
  'appDomain',
  'requestedScopes',
  'askedAt',
  'expiresAt',
  'validFor',
  'requestId',
  // The reference's name for what it prints as Request ID.
  'authReqId',
] as const;

export type NotificationVariable = (typeof notificationVariables)[number];
