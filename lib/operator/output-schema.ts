/**
 * What every command prints with `--json`, as schemas. docs/reference/ciba-output.schema.json is
 * made of them, and tests hold the answers of each command against that file. Lists are
 * `{items, next}`, an error is `{error}` on the last line of stderr; members are in snake_case,
 * those of the directory and of settings under their own names, and times are in UTC.
 */
import * as z from 'zod';
import { confirmationLevels } from '../../lambdas/ciba/client/confirmation-level.ts';
import { mailFailures, undeliverableCauses } from '../../lambdas/ciba/mail-failure.ts';
import { unreachableReasons } from '../../lambdas/ciba/user/user.ts';
import { auditEvents, auditOutcomes } from './audit/audit-entry.ts';
import { statsParts } from './audit/audit-stats.ts';
import { entryKinds } from './directory/plan.ts';
import { verdicts } from './doctor/check.ts';
import { keyKinds, keyStatuses } from './keys/key-states.ts';
import { templateStates } from './mails/compare-templates.ts';
import { errorCodes } from './terminal/operator-error.ts';

const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/);
const count = z.int().min(0);

/** A list: what it has, and what `--after` takes to go on, if there may be more. */
const listOf = (item: z.ZodType, more: z.ZodRawShape = {}) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable(), ...more });

const client = z.looseObject({
  client_id: z.string(),
  client_name: z.string(),
  enabled: z.boolean(),
  token_endpoint_auth_method: z.string(),
  logo_uri: z.url().optional(),
  secret: z.enum(['set', 'none']),
  retiring_until: instant.optional(),
  tokens_not_before: instant.optional(),
  version: z.int(),
});

const lastRefusal = z
  .strictObject({ at: instant, code: z.string(), cause: z.string().nullable(), ref: z.string() })
  .nullable();

const user = z.strictObject({
  sub: z.string(),
  username: z.string(),
  email: z.string().optional(),
  email_verified: z.boolean(),
  name: z.string().optional(),
  locale: z.string().optional(),
  enabled: z.boolean(),
  contact_version: z.int(),
  undeliverable: z
    .strictObject({ email: z.string(), cause: z.enum(undeliverableCauses), at: instant })
    .optional(),
  tokens_not_before: instant.optional(),
  version: z.int(),
});

const counted = z.strictObject({
  count,
  share: count.optional(),
  total: count.optional(),
});

const limits = z.strictObject({
  client_id: z.string(),
  last_minute: counted,
  today: counted,
  pending: counted,
  denials: count,
  muted_until: instant.nullable(),
  paused_until: instant.nullable(),
  refused: z.string().nullable(),
});

const key = z.strictObject({
  kind: z.enum(keyKinds),
  kid: z.string(),
  status: z.enum(keyStatuses),
  created_at: instant.optional(),
  used_from: instant.optional(),
  kept_until: instant.optional(),
});

const auditEntry = z.strictObject({
  asked_at: instant,
  event: z.enum(auditEvents).nullable(),
  outcome: z.enum(auditOutcomes),
  at: instant,
  client_id: z.string(),
  sub: z.string().nullable(),
  ref: z.string(),
  code: z.string().nullable(),
  cause: z.string().nullable(),
  decoy: z.enum(unreachableReasons).nullable(),
  flow: z.string().nullable(),
  mailed_at: instant.nullable(),
  mail_failure: z.enum(mailFailures).nullable(),
  mail_failed_at: instant.nullable(),
  decision: z.enum(['approved', 'denied']).nullable(),
  decided_at: instant.nullable(),
  redeemed_at: instant.nullable(),
  expires_at: instant.nullable(),
  replayed_at: instant.nullable(),
  revoked_at: instant.nullable(),
  polls: count.nullable(),
  confirmation_level: z.enum(confirmationLevels).nullable(),
  wrong_codes: count.nullable(),
  decided_from: z.string().nullable(),
  decided_with: z.string().nullable(),
});

const moment = z.looseObject({ at: instant.nullable(), what: z.string() });

const stats = z.strictObject({
  day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  client_id: z.string(),
  asked: count,
  ...Object.fromEntries(statsParts.map((part) => [part, count])),
  reported: count,
  outcomes: z.record(z.enum(auditOutcomes), count),
  approved_of_decided: z.number().min(0).max(1).nullable(),
  median_seconds_to_decide: z.number().nullable(),
  mails_sent: count,
});

const policyNames = { policy: z.string(), is_default: z.boolean() };

const flowPolicy = z.strictObject({
  kind: z.literal('flow'),
  ...policyNames,
  flows: z.array(z.strictObject({ flow: z.string(), weight: z.number() })),
});

const notificationPolicy = z.strictObject({
  kind: z.literal('notification'),
  ...policyNames,
  limits: z.array(z.strictObject({ limit: z.string(), value: z.number() })),
});

const counts = { added: count, changed: count, unchanged: count };

const applied = z.strictObject({
  changes: z.array(
    z.strictObject({
      action: z.enum(['add', 'change', 'remove']),
      kind: z.enum(entryKinds),
      id: z.string(),
      members: z.array(
        z.strictObject({
          member: z.string(),
          before: z.unknown().optional(),
          after: z.unknown().optional(),
          note: z.string().optional(),
        }),
      ),
    }),
  ),
  ...counts,
  removed: count,
  notices: z.array(z.string()).optional(),
  applied: z.boolean(),
  written: count.optional(),
  generated_secrets: z
    .array(
      z.strictObject({
        client_id: z.string(),
        client_secret: z.string(),
        uncertain: z.literal(true).optional(),
      }),
    )
    .optional(),
});

const imported = z.strictObject({
  ...counts,
  rejected: count,
  rejected_rows: z.array(z.strictObject({ line: z.int(), reason: z.string() })),
  report: z.string().optional(),
});

const ending = {
  removed: z.boolean(),
  pending: z.array(z.string()).nullable(),
  unfetched: z.array(z.string()).nullable(),
  refresh_tokens: z.array(z.string()).nullable(),
};

const switched = { enabled: z.boolean(), changed: z.boolean() };
const clientSwitched = z.strictObject({ client_id: z.string(), ...switched });
const userSwitched = z.strictObject({ sub: z.string(), ...switched });

const template = { name: z.string(), locale: z.string() };

/** What each command prints on stdout, by its words. */
export const outputSchemas: Readonly<Record<string, z.ZodType>> = {
  apply: applied,
  'client list': listOf(client),
  'client show': client.extend({ last_refusal: lastRefusal }),
  'client rotate-secret': z.strictObject({
    client_id: z.string(),
    client_secret: z.string().optional(),
    retiring_until: instant,
    uncertain: z.literal(true).optional(),
  }),
  'client enable': clientSwitched,
  'client disable': clientSwitched,
  'client remove': listOf(z.strictObject({ client_id: z.string(), ...ending })),
  'client revoke-tokens': z.strictObject({ client_id: z.string(), tokens_not_before: instant }),
  'user list': listOf(user),
  'user show': user.extend({ limits: z.array(limits).nullable() }),
  'user enable': userSwitched,
  'user disable': userSwitched,
  'user import': imported,
  'user remove': listOf(
    z.strictObject({ name: z.string(), sub: z.string().nullable(), ...ending }),
  ),
  'user clear-undeliverable': z.strictObject({
    sub: z.string(),
    cleared: z.strictObject({ email: z.string(), cause: z.string(), at: instant }).nullable(),
  }),
  'user clear-limits': z.strictObject({ sub: z.string(), lifted: z.array(limits) }),
  'user revoke-tokens': z.strictObject({ sub: z.string(), tokens_not_before: instant }),
  'audit list': listOf(auditEntry),
  'audit list --follow': auditEntry,
  'audit show': auditEntry.extend({
    username: z.string().nullable(),
    time_line: z.array(moment),
  }),
  'audit stats': listOf(stats, { from: instant, to: instant }),
  'audit revoke': z.strictObject({ ref: z.string(), revoked_at: instant }),
  doctor: listOf(
    z.strictObject({
      check: z.string(),
      verdict: z.enum(verdicts),
      message: z.string(),
      mend: z.string().nullable(),
    }),
    { stack: z.string() },
  ),
  'flow list': listOf(z.strictObject({ flow: z.string(), state_machine_arn: z.string() }), {
    policies: z.array(flowPolicy),
  }),
  'keys list': listOf(key),
  'keys rotate': listOf(key),
  'keys remove': z.strictObject({ removed: z.string() }),
  'policy list': listOf(z.union([notificationPolicy, flowPolicy])),
  smoke: listOf(z.strictObject({ step: z.string(), seen: z.string() })),
  'template list': listOf(z.strictObject({ ...template, state: z.enum(templateStates) })),
  'template push': listOf(z.strictObject(template)),
  'template preview': z.strictObject({
    ...template,
    subject: z.string(),
    html: z.string(),
    text: z.string(),
    file: z.string().optional(),
  }),
  'template test': z.strictObject({ ...template, to: z.string() }),
  trace: listOf(
    z.strictObject({
      frame: z.string(),
      source: z.string().nullable(),
      line: z.int().nullable(),
      column: z.int().nullable(),
    }),
  ),
};

/** What is on stderr: lines beside the answer, and last of all why the command failed. */
const stderrSchemas: Readonly<Record<string, z.ZodType>> = {
  note: z.strictObject({ note: z.string() }),
  error: z.strictObject({
    error: z.strictObject({
      code: z.enum(errorCodes),
      message: z.string(),
      hint: z.string().nullable(),
    }),
  }),
};

/** All of them as one JSON Schema (2020-12), whose `$defs` are named as the commands. */
export function publishedSchema(): object {
  const schemas = Object.entries({ ...outputSchemas, ...stderrSchemas });
  const definitions = schemas.map(([name, schema]) => {
    const { $schema: _, ...definition } = z.toJSONSchema(schema);
    return [name, definition];
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What ciba prints with --json',
    description:
      'A definition for stdout of each command by its words, of which audit list --follow prints one a line; note and error are lines of stderr, error the last of them.',
    $defs: Object.fromEntries(definitions),
  };
}
