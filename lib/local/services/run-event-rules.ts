/**
 * EventBridge's rules with a pattern on this machine: each calls its function with every event that
 * fits.
 */

import type { EventPattern, LocalStack } from '../template/read-stack.ts';
import { type AcceptedMail, type BusEvent, simulateMailbox } from './mailbox-simulator.ts';
import type { Invoke } from './serve-step-functions.ts';

/**
 * What SES says of an accepted mail, as far as its configuration set has SES tell the event bus,
 * goes to the rules.
 */
export function tellOfMail(
  { eventRules, mailEvents }: Pick<LocalStack, 'eventRules' | 'mailEvents'>,
  mail: AcceptedMail,
  invoke: Invoke,
): void {
  for (const { type, event } of simulateMailbox(mail)) {
    const isTold = mailEvents.some(
      ({ configurationSet, types }) =>
        configurationSet === mail.configurationSet && types.includes(type),
    );
    if (isTold) putEvent(eventRules, event, invoke);
  }
}

function putEvent(rules: LocalStack['eventRules'], event: BusEvent, invoke: Invoke): void {
  for (const { pattern, functionArn } of rules) {
    // What a function threw at last is told where it was thrown.
    if (fits(pattern, event)) invoke(functionArn, event).catch(() => {});
  }
}

/** Where an event has a list, one text of it is enough. */
export function fits(pattern: EventPattern, event: unknown): boolean {
  if (typeof event !== 'object' || event === null) return false;
  return Object.entries(pattern).every(([name, wanted]) => {
    const found: unknown = Reflect.get(event, name);
    if (!Array.isArray(wanted)) return fits(wanted, found);
    return [found].flat().some((value) => wanted.some((text) => text === value));
  });
}
