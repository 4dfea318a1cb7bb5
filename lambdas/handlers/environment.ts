/**
 * The environment of each function as a schema, and the only reader of `process.env`. The stack imports the types,
 * so that a variable which a function needs and the stack does not set is a compile error. Each schema is marked pure and spreads
 * nothing, which could have an effect: a bundle holds that of its own function alone.
 */
import * as z from 'zod/mini';
import { decisionOriginDetails } from '../ciba/decision-origin.ts';
import { flowPolicies } from '../ciba/flow-policy.ts';
import { notificationPolicies } from '../ciba/notification-policy.ts';
import { parseStrictJson } from '../ciba/strict-json.ts';

const text = z.string().check(z.minLength(1));
const seconds = z.pipe(z.pipe(text, z.transform(Number)), z.number().check(z.int(), z.positive()));

/** What is of this form, as JSON. The bundles whose function has no such variable leave it out. */
/* @__NO_SIDE_EFFECTS__ */
function json<Value extends z.ZodMiniType>(value: Value) {
  const parsed = z.transform((given: string, context): unknown => {
    const value = parseStrictJson(given);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: 'not JSON', input: given });
    return z.NEVER;
  });
  return z.pipe(z.pipe(text, parsed), value);
}

/** A map as JSON, `{"name":…}`. */
/* @__NO_SIDE_EFFECTS__ */
function jsonMap<Value extends z.ZodMiniType>(value: Value) {
  const map = z.transform(
    (members: Record<string, z.output<Value>>): ReadonlyMap<string, z.output<Value>> =>
      new Map(Object.entries(members)),
  );
  return z.pipe(json(z.record(text, value)), map);
}

/** The issuer identifier: an origin, without a slash at its end. */
const ISSUER = text;
/** The table of clients, users and public keys. */
const DIRECTORY_TABLE = text;

/** POST /cibaAuthorization. */
export const authorizeEnvironment = /* @__PURE__ */ z.object({
  ISSUER,
  DIRECTORY_TABLE,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The ARN of the state machine of each flow, by its name. */
  FLOWS: jsonMap(text),
  /** How requests are distributed over them, and how often users may be asked. */
  FLOW_POLICIES: json(flowPolicies),
  NOTIFICATION_POLICIES: json(notificationPolicies),
  /** Lifetime of a request whose client registered none and asked for none, in seconds. */
  DEFAULT_EXPIRES_IN: seconds,
  /** Bounds of `requested_expiry`, in seconds. */
  MIN_EXPIRES_IN: seconds,
  MAX_EXPIRES_IN: seconds,
  /** Least time between two polls of a client that registered none, in seconds. */
  DEFAULT_INTERVAL: seconds,
  /** How long a request stays in the audit after its end, in seconds. */
  AUDIT_RETENTION: seconds,
});

/** POST /token. */
export const tokenEnvironment = /* @__PURE__ */ z.object({
  ISSUER,
  DIRECTORY_TABLE,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The `aud` of access tokens (RFC 9068, section 3). */
  ACCESS_TOKEN_AUDIENCE: text,
});

/** GET and POST /approve/{link}. */
export const approveEnvironment = /* @__PURE__ */ z.object({
  ISSUER,
  DIRECTORY_TABLE,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** How much is kept of where a decision is made. */
  RECORD_DECISION_ORIGIN: /* @__PURE__ */ z.enum(decisionOriginDetails),
});

/** The well-known documents and /jwks. */
export const metadataEnvironment = /* @__PURE__ */ z.object({ ISSUER, DIRECTORY_TABLE });

/** State LocateUser. */
export const locateUserEnvironment = /* @__PURE__ */ z.object({
  DIRECTORY_TABLE,
  REQUESTS_TABLE: text,
});

/** The states that send mail. */
export const mailEnvironment = /* @__PURE__ */ z.object({
  ISSUER,
  DIRECTORY_TABLE,
  REQUESTS_TABLE: text,
  KEYS_TABLE: text,
  /** The From address, `name <address>` or an address alone. */
  SENDER: text,
  CONFIGURATION_SET: text,
  /** The locales of each template, by what a flow calls it: with `-<locale>` behind that it is a name in SES. */
  TEMPLATES: jsonMap(/* @__PURE__ */ z.array(text)),
});

/** State RecordFailure. */
export const recordFailureEnvironment = /* @__PURE__ */ z.object({
  REQUESTS_TABLE: text,
});

/** The end of refresh tokens, for the operator. */
export const revokeRefreshTokenEnvironment = /* @__PURE__ */ z.object({
  REQUESTS_TABLE: text,
});

/** What is heard of mails that were sent. */
export const mailFeedbackEnvironment = z.object({
  DIRECTORY_TABLE: text,
  REQUESTS_TABLE: text,
});

/** The rotation of the keys, which also makes the first ones. */
export const rotateKeysEnvironment = /* @__PURE__ */ z.object({
  DIRECTORY_TABLE,
  KEYS_TABLE: text,
  /** How old the newest key of a kind becomes before another is made, in seconds. */
  ROTATION_PERIOD: seconds,
});

/** What Lambda sets by itself, and where S3 is, which only an emulator sets. */
export const platformEnvironment = /* @__PURE__ */ z.object({
  AWS_REGION: text,
  AWS_ENDPOINT_URL: z.optional(z.url()),
  AWS_ENDPOINT_URL_S3: z.optional(z.url()),
});

export type AuthorizeEnvironment = z.input<typeof authorizeEnvironment>;
export type TokenEnvironment = z.input<typeof tokenEnvironment>;
export type ApproveEnvironment = z.input<typeof approveEnvironment>;
export type MetadataEnvironment = z.input<typeof metadataEnvironment>;
export type LocateUserEnvironment = z.input<typeof locateUserEnvironment>;
export type MailEnvironment = z.input<typeof mailEnvironment>;
export type RecordFailureEnvironment = z.input<typeof recordFailureEnvironment>;
export type MailFeedbackEnvironment = z.input<typeof mailFeedbackEnvironment>;
export type RevokeRefreshTokenEnvironment = z.input<typeof revokeRefreshTokenEnvironment>;
export type RotateKeysEnvironment = z.input<typeof rotateKeysEnvironment>;

/**
 * The environment of this function, parsed.
 * @throws an error that names the variable which is missing or wrong.
 */
export function readEnvironment<Schema extends z.ZodMiniType>(schema: Schema): z.output<Schema> {
  const environment = schema.safeParse(process.env);
  if (environment.success) return environment.data;
  const [issue] = environment.error.issues;
  throw new Error(`Environment variable ${issue?.path.join('.')}: ${issue?.message}`);
}
