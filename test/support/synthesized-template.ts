/**
 * The template of the stack as its tests read it: values as text, functions by their handler, and
 * the rights of each. Bundles have no say in it and are left out.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, inject } from 'vitest';
import * as z from 'zod';
import { createProviderApp } from '../../lib/stack/provider-app.ts';

/**
 * CloudFormation's own rules take seconds; provider-app.test.ts holds the template against them.
 */
process.env['CDK_VALIDATION'] = 'false';

export const senderAddress = 'approvals@bank.example';

/** Synthesizes a stack with these settings. */
export function synthesize(settings: Record<string, unknown> = {}) {
  const provider = createProviderApp({
    outdir: mkdtempSync(join(inject('runFolder'), 'stack-')),
    context: { 'aws:cdk:bundling-stacks': [], senderAddress, ...settings },
  });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  return { stack: provider.stack, template: Template.fromStack(provider.stack) };
}

/** The template without any setting but the sender. */
export const template = synthesize().template;

export const statementSchema = z.strictObject({
  Effect: z.literal('Allow'),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.output<typeof statementSchema>;

export const policyDocument = z.object({ Statement: z.array(statementSchema) });

export function asList<Value>(value: Value | Value[]): Value[] {
  return Array.isArray(value) ? value : [value];
}

/** A resource's logical id without the hash that CDK puts at its end. */
export function plainId(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

export const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z
    .object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform((get) => get['Fn::GetAtt'][0]),
]);
export const joined = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });

/**
 * A value of the template as one reads it: `dynamodb.<AWS::Region>.amazonaws.com`, `TablesKeys`.
 */
export function readable(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(readable).join(' ');
  const text = joined.safeParse(value);
  if (text.success) return text.data['Fn::Join'][1].map(readable).join('');
  const id = reference.parse(value);
  return id.startsWith('AWS::') ? `<${id}>` : plainId(id);
}

/** `dynamodb:GetItem on TablesKeys if dynamodb:LeadingKeys in link`. */
export function describeStatement({ Action, Resource, Condition = {} }: Statement): string[] {
  const conditions = Object.values(Condition).flatMap((test) =>
    Object.entries(test).map(([key, allowed]) => ` if ${key} in ${readable(allowed)}`),
  );
  return asList(Action).flatMap((action) =>
    asList(Resource).map((resource) => `${action} on ${readable(resource)}${conditions.join('')}`),
  );
}

export const functionSchema = z.object({
  Properties: z.object({
    Description: z.string(),
    Role: reference,
    LoggingConfig: z.object({ LogGroup: reference }),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  }),
});

export function functionOf(handler: string) {
  const found = Object.values(template.findResources('AWS::Lambda::Function'))
    .map((resource) => functionSchema.parse(resource).Properties)
    .find(({ Description }) => Description === `lambdas/handlers/${handler}.ts`);
  if (!found) throw new Error(`no function of ${handler}`);
  return found;
}

export const roleSchema = z.object({
  Properties: z.object({
    ManagedPolicyArns: z.undefined().optional(),
    Policies: z.tuple([z.object({ PolicyDocument: policyDocument })]),
  }),
});

/** All that the function of a handler may do, beside its log. */
export function rightsOf(handler: string): string[] {
  const { Role, LoggingConfig } = functionOf(handler);
  const role = roleSchema.parse(template.findResources('AWS::IAM::Role')[Role]);
  const rights = role.Properties.Policies[0].PolicyDocument.Statement.flatMap(describeStatement);
  const log = plainId(LoggingConfig.LogGroup);
  const logging = [`logs:CreateLogStream on ${log}`, `logs:PutLogEvents on ${log}`];
  expect(rights).toEqual(expect.arrayContaining(logging));
  return rights.filter((right) => !logging.includes(right)).sort();
}

/** The mail templates of the stack. */
export const templateNames = ['with', 'without'].flatMap((with_) =>
  ['de', 'en', 'es', 'fr', 'ja'].map(
    (locale) => `CibaProvider-ciba-${with_}-binding-message-${locale}`,
  ),
);

export const viaDynamoDb = 'if kms:ViaService in dynamodb.<AWS::Region>.amazonaws.com';
