/**
 * The CDK app around the stack: its settings out of the context, its mails, and cdk-nag's AwsSolutions rules as a
 * validation that every synth has to pass.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type AppProps, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod';
import { decodeText } from './decode-text.ts';
import {
  compileNotificationTemplates,
  type NotificationTemplate,
} from './notification-templates/compile.ts';
import { ProviderStack } from './provider-stack.ts';
import { parseSettings } from './settings.ts';

/** An app to synthesize, or what the operator has to put right first, a line for each mistake. */
export type ProviderApp = { app: App; stack: ProviderStack } | { mistakes: string[] };

const projectFile = join(import.meta.dirname, '../cdk.json');

/**
 * The app, not yet synthesized. Its context is that of `cdk.json`, overridden by `props.context` and that by what the CDK
 * command line hands over in the environment: run by it or without it, the app has the same settings and feature flags.
 */
export function createProviderApp(props: AppProps = {}): ProviderApp {
  const project = readProjectContext();
  if ('mistakes' in project) return project;
  const context = { ...project.context, ...props.context };
  const app = new App({ ...props, context, autoSynth: false });
  const parsed = parseSettings(app.node.getAllContext());
  if ('mistakes' in parsed) return parsed;
  const compiled = compileTemplates();
  if ('mistakes' in compiled) return compiled;

  const { settings } = parsed;
  const { templates } = compiled;
  const stack = new ProviderStack(app, settings.stackName, { settings, templates });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, stack };
}

function readProjectContext(): { context: Record<string, unknown> } | { mistakes: string[] } {
  const project = z.object({ context: z.record(z.string(), z.unknown()) });
  const decoded = decodeText(readFileSync(projectFile));
  if ('text' in decoded) return project.parse(JSON.parse(decoded.text));
  return { mistakes: [`cdk.json:${decoded.line}: ${decoded.fault}; allowed: UTF-8`] };
}

function compileTemplates(): { templates: NotificationTemplate[] } | { mistakes: string[] } {
  try {
    return { templates: compileNotificationTemplates() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { mistakes: [error.message] };
  }
}
