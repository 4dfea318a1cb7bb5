/**
 * The flows that can notify a user, by name: the files of `statemachines`.
 */

/** The flow that a request starts: with the binding message in the mail, if there is one. */
export const DEFAULT_FLOW = 'ciba-flow';
