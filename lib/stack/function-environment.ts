/**
 * The limit on a function's environment: names and values together, as they are once CloudFormation
 * has filled them in.
 */
import type { IConstruct } from 'constructs';
import { mostBytes } from './deployed-size.ts';

/** What Lambda takes of names and values together, in bytes. */
export const ENVIRONMENT_BYTES = 4096;

/** What an operator can make shorter; all other variables are ours, and short. */
const sources = new Map([
  [
    'NOTIFICATION_POLICIES',
    { source: 'notificationPolicies', demand: 'Setting notificationPolicies must be shorter' },
  ],
  ['FLOW_POLICIES', { source: 'flowPolicies', demand: 'Setting flowPolicies must be shorter' }],
  ['FLOWS', { source: 'the flows', demand: 'The flows of statemachines must be fewer' }],
  [
    'TEMPLATES',
    { source: 'the mails', demand: 'The mail templates must be fewer, or their names shorter' },
  ],
]);

/** A line for an environment that Lambda would refuse, which names what makes it too large. */
export function findEnvironmentExcess(
  scope: IConstruct,
  handler: string,
  environment: Record<string, string>,
): string[] {
  const sizes = Object.entries(environment).map(([name, value]) => ({
    bytes: Buffer.byteLength(name) + mostBytes(scope, value),
    ...sources.get(name),
  }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= ENVIRONMENT_BYTES) return [];
  const largest = sizes
    .filter(({ source }) => source !== undefined)
    .sort((one, other) => other.bytes - one.bytes);
  const parts = largest.map(({ source, bytes }) => `${bytes} of ${source}`).join(', ');
  return [
    `${largest[0]?.demand}: the environment of the function ${handler} has up to ${total} bytes, and Lambda takes ${ENVIRONMENT_BYTES}; it holds ${parts}.`,
  ];
}
