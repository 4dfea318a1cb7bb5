/**
 * What a synthesized template lets whom do: every statement of every policy in it, and the rights
 * of each role one by one, with the names they have on the local host.
 */
import * as z from 'zod';
import type { Assembly, TemplateResource } from '../../lib/local/template/read-assembly.ts';
import { type References, resolveIntrinsics } from '../../lib/local/template/resolve-intrinsics.ts';

const oneOrMore = z.union([z.string().transform((text) => [text]), z.array(z.string())]);

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.unknown().optional(),
  Action: oneOrMore,
  Resource: oneOrMore.default([]),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).default({}),
});

/** A statement that allows something. */
export type Statement = z.output<typeof statementSchema>;

/** One action on one resource, for one form of leading key if the statement names any. */
export interface Right {
  action: string;
  resource: string;
  leadingKey: string | undefined;
  /** The one address that mail may come from, if the statement names one. */
  fromAddress: string | undefined;
  /**
   * The attributes that it holds for, if the statement names them: in keys, items and expressions.
   */
  attributes: string[] | undefined;
  /** What of an item an update may answer with, if the statement names it. */
  returnValues: string[] | undefined;
}

/**
 * Every statement in the template: of roles and their policies, of trust, of keys.
 * @throws for a statement that excludes or has any other member that this does not understand, and
 * for one that denies anything but calls in the clear, since what is denied is no right
 */
export function allStatements({ resources }: Assembly, references: References): Statement[] {
  return Object.entries(resources).flatMap(([logicalId, { Properties }]) =>
    statementsIn(resolveWhereKnown(Properties, references, logicalId)),
  );
}

/** The statements under a `Statement` member, however deep. */
function statementsIn(value: unknown): Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'Statement'
      ? z.array(statementSchema).parse(member).filter(isAllowing)
      : statementsIn(member),
  );
}

function isAllowing({ Effect, Condition }: Statement): boolean {
  if (Effect === 'Allow') return true;
  z.strictObject({
    Bool: z.strictObject({ 'aws:SecureTransport': z.tuple([z.literal('false')]) }),
  }).parse(Condition);
  return false;
}

/** Policies alone are of interest; other properties may hold what only AWS can resolve. */
function resolveWhereKnown(value: unknown, references: References, where: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('Statement' in value) return resolveIntrinsics(value, references, where);
  return Object.values(value).map((member) => resolveWhereKnown(member, references, where));
}

/** The rights of a role, by the logical id that the template gives it. */
export function rightsOfRole(
  { resources }: Assembly,
  references: References,
  roleId: string,
): Right[] {
  const attached = Object.entries(resources).filter(([, policy]) => isAttached(policy, roleId));
  const inline = [roleId, resources[roleId]?.Properties?.['Policies']] as const;
  return [inline, ...attached.map(([id, { Properties }]) => [id, Properties] as const)]
    .flatMap(([id, policy]) => statementsIn(resolveWhereKnown(policy, references, id)))
    .flatMap(rightsOf);
}

function isAttached({ Type, Properties }: TemplateResource, roleId: string): boolean {
  const roles = Properties?.['Roles'];
  return (
    Type === 'AWS::IAM::Policy' &&
    Array.isArray(roles) &&
    roles.some((role: { Ref?: string }) => role.Ref === roleId)
  );
}

const literals = z.array(z.string().regex(/^[^*?]*$/));

/** What rights may be conditional on. Any other condition would have to be judged here first. */
const conditionsOfRights = z.strictObject({
  'ForAllValues:StringLike': z
    .strictObject({ 'dynamodb:LeadingKeys': z.array(z.string()) })
    .optional(),
  'ForAllValues:StringEquals': z
    .strictObject({ 'dynamodb:LeadingKeys': literals, 'dynamodb:Attributes': literals })
    .partial()
    .optional(),
  StringEqualsIfExists: z.strictObject({ 'dynamodb:ReturnValues': literals }).optional(),
  StringEquals: z
    .strictObject({
      'ses:FromAddress': literals.length(1),
      // Of calls that DynamoDB makes, and no function.
      'kms:ViaService': literals.length(1),
    })
    .partial()
    .optional(),
});

/**
 * @throws for a condition that this does not understand, or a pattern where IAM compares letter by
 * letter
 */
function rightsOf({ Action, Resource, Condition }: Statement): Right[] {
  const conditions = conditionsOfRights.parse(Condition);
  const among = conditions['ForAllValues:StringEquals'];
  const leadingKeys =
    conditions['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ??
    among?.['dynamodb:LeadingKeys'];
  const [fromAddress] = conditions.StringEquals?.['ses:FromAddress'] ?? [];
  return Action.flatMap((action) =>
    Resource.flatMap((resource) =>
      (leadingKeys ?? [undefined]).map((leadingKey) => ({
        action,
        resource,
        leadingKey,
        fromAddress,
        attributes: among?.['dynamodb:Attributes'],
        returnValues: conditions.StringEqualsIfExists?.['dynamodb:ReturnValues'],
      })),
    ),
  );
}

/** The logical ids of the resources of a type, with the role that each runs under. */
export function rolesOf({ resources }: Assembly, type: string, member: string): [string, string][] {
  return Object.entries(resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, { Properties }]) => [logicalId, roleOf(Properties?.[member])]);
}

const roleReference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });

function roleOf(value: unknown): string {
  return roleReference.parse(value)['Fn::GetAtt'][0];
}
