/** Whether the mail templates that a deployment has in SES are those of this checkout. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EmailTemplateContent,
  GetEmailTemplateCommand,
  type SESv2Client,
} from '@aws-sdk/client-sesv2';
import type { NotificationTemplate } from '../../notification-templates/compile.ts';

/**
 * How a template of SES and its files compare; a template of the files may not have been deployed.
 */
export const templateStates = [
  'same',
  'differs',
  'missing in SES',
  'not deployed',
  'not in the files',
] as const;

export type TemplateState = (typeof templateStates)[number];

export interface ComparedTemplate {
  name: string;
  locale: string;
  state: TemplateState;
}

/** What a deployment has. */
export interface DeployedTemplates {
  ses: SESv2Client;
  /** What their names in SES begin with. */
  prefix: string;
  /** The locales of each by its name. */
  locales: Readonly<Record<string, readonly string[]>>;
}

/** SES answers one question of this kind a second, over all that an account asks. */
const PAUSE_MILLISECONDS = 1100;

/** How often it is asked when others ask as well. */
const TRIES = 10;

/**
 * Every template and locale of the files or the deployment, in the order of both.
 * @param onDone is called for each
 */
export async function compareTemplates(
  deployed: DeployedTemplates,
  files: readonly NotificationTemplate[],
  onDone: () => void,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<ComparedTemplate[]> {
  const compared: ComparedTemplate[] = [];
  for (const { name, locale, file, isDeployed } of pair(deployed, files)) {
    const stored = isDeployed
      ? await readStored(deployed.ses, `${deployed.prefix}${name}-${locale}`, pause)
      : undefined;
    compared.push({ name, locale, state: judge(file, isDeployed, stored) });
    onDone();
  }
  return compared;
}

interface Pair {
  name: string;
  locale: string;
  file: NotificationTemplate | undefined;
  isDeployed: boolean;
}

function pair({ locales }: DeployedTemplates, files: readonly NotificationTemplate[]): Pair[] {
  const deployed = Object.entries(locales).flatMap(([name, ofName]) =>
    ofName.map((locale) => ({ name, locale })),
  );
  const isOne = (one: Pick<Pair, 'name' | 'locale'>) => (other: Pick<Pair, 'name' | 'locale'>) =>
    one.name === other.name && one.locale === other.locale;
  const onlyDeployed = deployed.filter((one) => !files.some(isOne(one)));
  return [...files, ...onlyDeployed]
    .map(({ name, locale }) => ({
      name,
      locale,
      file: files.find(isOne({ name, locale })),
      isDeployed: deployed.some(isOne({ name, locale })),
    }))
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function keyOf({ name, locale }: Pick<Pair, 'name' | 'locale'>): string {
  return `${name}/${locale}`;
}

function judge(
  file: NotificationTemplate | undefined,
  isDeployed: boolean,
  stored: EmailTemplateContent | undefined,
): TemplateState {
  if (!isDeployed) return 'not deployed';
  if (file === undefined) return 'not in the files';
  if (stored === undefined) return 'missing in SES';
  const parts = [
    [file.subject, stored.Subject],
    [file.html, stored.Html],
    [file.text, stored.Text],
  ];
  const isSame = parts.every(([ours, theirs = '']) => ours?.trim() === theirs.trim());
  return isSame ? 'same' : 'differs';
}

async function readStored(
  ses: SESv2Client,
  name: string,
  pause: (milliseconds: number) => Promise<unknown>,
): Promise<EmailTemplateContent | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      const stored = await ses.send(new GetEmailTemplateCommand({ TemplateName: name }));
      return stored.TemplateContent ?? {};
    } catch (error) {
      const reason = error instanceof Error ? error.name : '';
      if (reason === 'NotFoundException') return undefined;
      if (reason !== 'TooManyRequestsException' || tries === TRIES) throw error;
      await pause(PAUSE_MILLISECONDS);
    }
  }
}
