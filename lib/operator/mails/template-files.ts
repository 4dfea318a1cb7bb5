/** The mail templates of this checkout, and what their mails look like with sample values. */

import { lookUpTexts } from '../../../lambdas/ciba/words/catalogue.ts';
import { lookUpLocale } from '../../../lambdas/ciba/words/locale.ts';
import { type TemplateData, templateData } from '../../../lambdas/ciba/words/notification.ts';
import { approvePath } from '../../../lambdas/routes.ts';
import {
  compileNotificationTemplates,
  groupLocales,
  type NotificationTemplate,
} from '../../notification-templates/compile.ts';
import { usageError } from '../terminal/operator-error.ts';

/** A mail as it arrives. */
export interface RenderedMail {
  subject: string;
  html: string;
  text: string;
}

/**
 * Every template in every locale. @throws OperatorError with all faults of the files, a line each
 */
export function readTemplateFiles(): NotificationTemplate[] {
  try {
    return compileNotificationTemplates();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw usageError(error.message, error);
  }
}

/**
 * The locale that a user with `wanted` is sent a template in.
 * @throws OperatorError for a template that there is not
 */
export function chooseLocale(
  locales: Readonly<Record<string, readonly string[]>>,
  name: string,
  wanted: string | undefined,
): string {
  const available = Object.hasOwn(locales, name) ? locales[name] : undefined;
  if (available !== undefined) return lookUpLocale(wanted === undefined ? [] : [wanted], available);
  throw usageError(
    `There is no template ${JSON.stringify(name)}; allowed: ${Object.keys(locales).join(', ')}`,
  );
}

/** The same of the templates of this checkout. */
export function chooseLocaleOfFiles(
  templates: readonly NotificationTemplate[],
  name: string,
  wanted: string | undefined,
): string {
  return chooseLocale(groupLocales(templates), name, wanted);
}

/** What stands where a link has its secret: the approval page knows no such link. */
const NO_TOKEN = 'this-is-only-a-sample';

/** When the request of a sample was made: 14 November 2023, 22:13:20 UTC. */
const SAMPLE_TIME = 1_700_000_000;

/** The values of a sample mail, of which HTML has to escape some; its link leads nowhere. */
export function sampleData(issuer: string, locale: string): TemplateData {
  return templateData(lookUpTexts([locale]), {
    request: {
      ref: 'samplesamplesamplesamplesa',
      scope: 'openid profile email',
      bindingMessage: '52.30 EUR & receipt at pump "4"',
      createdAt: SAMPLE_TIME,
      expiresAt: SAMPLE_TIME + 120,
    },
    clientName: 'Fuel & Go, Pump 4',
    domain: 'pay.fuel-and-go.example',
    magicLink: issuer + approvePath(NO_TOKEN),
  });
}

/** The template with these values, as SES renders it: escaped for HTML by their twins alone. */
export function renderMail(
  { subject, html, text }: NotificationTemplate,
  data: Readonly<Record<string, string>>,
): RenderedMail {
  const render = (part: string) =>
    part.replace(/\{\{(\w+)\}\}/g, (found, variable: string) => data[variable] ?? found);
  return { subject: render(subject), html: render(html), text: render(text) };
}
