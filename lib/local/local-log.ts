/** Where the lines of the local host go; its command line decides what a person sees of them. */

/**
 * `request`: one answered HTTP request, named by its route, never by its path or query. `function`:
 * a line that a function wrote. `flow`: an execution that ended. `failure`: what should not happen.
 */
export type LogKind = 'request' | 'function' | 'flow' | 'failure';

export type LocalLog = (kind: LogKind, line: string) => void;
