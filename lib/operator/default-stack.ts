/** The name that a stack has unless its settings say otherwise; lib/settings.ts has it too, and a test holds them together. */
export const DEFAULT_STACK = 'CibaProvider';
