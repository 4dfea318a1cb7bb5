/** The environment of the backchannel authentication endpoint (CIBA Core 7). */
import * as z from 'zod/mini';
import { flowPolicies } from '../../ciba/policy/flow-policy.ts';
import { notificationPolicies } from '../../ciba/policy/notification-policy.ts';
import { json, jsonMap, seconds, text } from './variables.ts';

export const backchannelAuthenticationEnvironment = z.object({
  ISSUER: text,
  DIRECTORY_TABLE: text,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The ARN of the state machine of each flow, by its name. */
  FLOWS: jsonMap(text),
  /** How requests are distributed over them, and how often users may be asked. */
  FLOW_POLICIES: json(flowPolicies),
  NOTIFICATION_POLICIES: json(notificationPolicies),
  /** Lifetime of a request whose client registered none and asked for none. */
  DEFAULT_EXPIRES_IN: seconds,
  /** Bounds of `requested_expiry`. */
  MIN_EXPIRES_IN: seconds,
  MAX_EXPIRES_IN: seconds,
  /** Least time between two polls of a client that registered none. */
  DEFAULT_INTERVAL: seconds,
  /** How long a request stays in the audit after its end. */
  AUDIT_RETENTION: seconds,
});

export type BackchannelAuthenticationEnvironment = z.input<
  typeof backchannelAuthenticationEnvironment
>;
