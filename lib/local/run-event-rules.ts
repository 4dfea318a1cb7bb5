/** EventBridge's rules with a pattern on this machine: each calls its function with every event that fits. */
import { type AcceptedMail, type BusEvent, simulateMailbox } from './mailbox-simulator.ts';
import type { EventPattern, LocalStack } from './read-stack.ts';
import type { Invoke } from './serve-step-functions.ts';

/** How often a function that throws is called again. */
const REPEATS = 2;

/** What SES says of an accepted mail, as far as its configuration set has SES tell the event bus, goes to the rules. */
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
    if (fits(pattern, event)) invokeRepeatedly(invoke, functionArn, event).catch(() => {});
  }
}

/** As Lambda runs what is called asynchronously: three times at most, here without the minutes in between. */
async function invokeRepeatedly(
  invoke: Invoke,
  functionArn: string,
  event: BusEvent,
): Promise<unknown> {
  const repeats = Array.from({ length: REPEATS });
  return repeats.reduce<Promise<unknown>>(
    (run) => run.catch(() => invoke(functionArn, event)),
    invoke(functionArn, event),
  );
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
