/**
 * Reads the notification mails of this folder, `<name>/<locale>/` with one file for each part,
 * fills their layout, checks them as the stack is synthesized, and turns the operator's
 * `${variable}` syntax, which is the reference's, into that of SES templates. SES escapes nothing:
 * the HTML part takes the twin of each value that is HTML, `{{x_html}}`, subject and text take
 * `{{x}}`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HYPHENATED_NAME_RULE, isHyphenatedName } from '../../lambdas/ciba/hyphenated-name.ts';
import { DEFAULT_LOCALE } from '../../lambdas/ciba/words/locale.ts';
import {
  type NotificationVariable,
  notificationVariables,
} from '../../lambdas/ciba/words/notification-variables.ts';
import { decodeText, tellUndecoded } from '../decode-text.ts';
import { toAsciiHtml } from './ascii-html.ts';
import { type FilledLayout, fillLayout, hasSlots, type SourceFile } from './fill-layout.ts';

/**
 * A mail in one language as SES stores it: every `{{variable}}` of it must be passed on every send.
 */
export interface NotificationTemplate {
  /** The folder of the template, by which a flow names it. */
  name: string;
  /** The folder in that: a language tag of BCP 47. */
  locale: string;
  subject: string;
  html: string;
  text: string;
}

/** SES allows 64 characters in a template's name, and ours is `<deployment>-<name>-<locale>`. */
export const SES_NAME_LENGTH = 64;

/**
 * What is left of those for the name of the deployment: room for `ciba-without-binding-message` in
 * a language of three letters with script and region.
 */
export const DEPLOYMENT_NAME_LENGTH = 22;

/** What is left for name and locale together. */
const OWN_NAME_LENGTH = SES_NAME_LENGTH - DEPLOYMENT_NAME_LENGTH - '--'.length;

/**
 * Language, script and region (BCP 47), in the letters that RFC 5646, 2.1.1 recommends: one locale
 * has one name.
 */
const localePattern = /^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?$/;

const partNames = ['subject.txt', 'body.html', 'body.txt'] as const;

/** The file that holds one part of a mail. */
type PartName = (typeof partNames)[number];

interface Part {
  template: string;
  part: PartName;
  /** As an error names it: relative to the working directory. */
  file: string;
  source: string;
  /** The `file:line` of each line, where they are from several files. */
  places?: readonly string[];
}

interface PartRule {
  allowed: readonly NotificationVariable[];
  /** One variable of each group must occur. */
  required: readonly (readonly NotificationVariable[])[];
}

/** The Request ID under our name and under that of the reference. */
const requestId: readonly NotificationVariable[] = ['requestId', 'authReqId'];

/**
 * A subject ends up in logs and notifications of the phone: no link and no text of the client, save
 * its name.
 */
const subjectRule: PartRule = { allowed: ['appName', ...requestId], required: [['appName']] };

/** The bodies of any template: a request need not have a binding message. */
const bodyRule: PartRule = {
  allowed: notificationVariables,
  required: [['appName'], ['magicLink'], requestId],
};

/** The bodies of the two templates whose names promise something. */
const bodyRules = new Map<string, PartRule>([
  [
    'ciba-with-binding-message',
    { ...bodyRule, required: [['appName'], ['magicLink'], ['bindingMessage'], requestId] },
  ],
  [
    'ciba-without-binding-message',
    {
      ...bodyRule,
      allowed: notificationVariables.filter((variable) => variable !== 'bindingMessage'),
    },
  ],
]);

/** Longest subject, in characters of the compiled template. */
const SUBJECT_LENGTH = 256;

/** SES takes 500 KB of subject, HTML and text together; in bytes of UTF-8. */
const TEMPLATE_BYTES = 500_000;

const variablePattern = /\$\{([A-Za-z][A-Za-z0-9]*)\}/g;

const shippedTemplates = fileURLToPath(new URL('.', import.meta.url));

/**
 * The templates of a folder, compiled: one for each locale of each name, in the order of both.
 * @param directory holds one folder for each template, that one for each locale, that the parts,
 * and nothing else but files
 * @default this folder
 * @throws an error whose message has a line `file:line: fault; what is allowed` for every fault of
 * every template
 */
export function compileNotificationTemplates(directory = shippedTemplates): NotificationTemplate[] {
  const faults: string[] = [];
  const templates = foldersOf(directory).flatMap((name) => compileLocales(directory, name, faults));
  if (faults.length > 0) {
    throw new Error(`The notification templates are not usable:\n${faults.join('\n')}`);
  }
  return templates;
}

/** The locales of templates by their names. */
export function groupLocales(
  templates: readonly Pick<NotificationTemplate, 'name' | 'locale'>[],
): Record<string, string[]> {
  const locales: Record<string, string[]> = {};
  for (const { name, locale } of templates) locales[name] = [...(locales[name] ?? []), locale];
  return locales;
}

function foldersOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Adds what is wrong to `faults`, so that one run of synth shows the operator all of it. */
function compileLocales(directory: string, name: string, faults: string[]): NotificationTemplate[] {
  const folder = join(directory, name);
  if (!isHyphenatedName(name)) {
    faults.push(
      `${nameFile(folder)}:1: not the name of a template; allowed: ${HYPHENATED_NAME_RULE}`,
    );
  }
  const locales = foldersOf(folder);
  if (!locales.includes(DEFAULT_LOCALE)) {
    faults.push(
      `${nameFile(folder)}:1: missing locale ${DEFAULT_LOCALE}; it is for users whose language a template does not have`,
    );
  }
  for (const part of partNames.filter((file) => existsSync(join(folder, file)))) {
    faults.push(
      `${nameFile(join(folder, part))}:1: a part outside of a locale; its place is a folder such as ${name}/${DEFAULT_LOCALE}`,
    );
  }
  return locales.map((locale) => compileTemplate(directory, name, locale, faults));
}

function compileTemplate(
  directory: string,
  name: string,
  locale: string,
  faults: string[],
): NotificationTemplate {
  const folder = join(directory, name, locale);
  if (!localePattern.test(locale)) {
    faults.push(
      `${nameFile(folder)}:1: not the name of a locale; allowed: language tags such as en, pt-BR or zh-Hant`,
    );
  }
  const compiled: Record<PartName, string> = { 'subject.txt': '', 'body.html': '', 'body.txt': '' };
  for (const part of partNames) {
    const path = join(folder, part);
    const file = nameFile(path);
    if (!existsSync(path)) {
      faults.push(`${file}:1: missing file; a template is ${partNames.join(', ')}`);
      continue;
    }
    const decoded = decodeText(readFileSync(path));
    if ('fault' in decoded) {
      faults.push(tellUndecoded(file, decoded));
      continue;
    }
    const own = { file, source: decoded.text };
    const isFilled = part === 'body.html' && hasSlots(own.source);
    const filled = isFilled ? fillSlots(directory, locale, own, faults) : own;
    faults.push(...findFaults({ template: name, part, file, ...filled }));
    compiled[part] = substitute(filled.source, part === 'body.html' ? '_html' : '');
  }
  const result: NotificationTemplate = {
    name,
    locale,
    subject: compiled['subject.txt'].trim(),
    html: toAsciiHtml(compiled['body.html']),
    text: compiled['body.txt'],
  };
  faults.push(...findExcess(result, nameFile(folder)));
  return result;
}

/**
 * A body that is slots, in the layout; what other slots the mails of its language share is beside
 * that.
 */
function fillSlots(
  directory: string,
  locale: string,
  own: SourceFile,
  faults: string[],
): FilledLayout {
  const layout = readShared(directory, 'layout.html', faults) ?? { file: own.file, source: '' };
  const shared = readShared(directory, `layout.${locale}.html`, faults);
  return fillLayout(layout, shared ? [shared, own] : [own], faults);
}

/**
 * A file of the folder of the templates, or of those that are shipped if the folder has no layout
 * of its own.
 */
function readShared(directory: string, name: string, faults: string[]): SourceFile | undefined {
  const isOwn = existsSync(join(directory, 'layout.html'));
  const folders = isOwn ? [directory] : [directory, shippedTemplates];
  const path = folders.map((folder) => join(folder, name)).find(existsSync);
  if (path === undefined) return undefined;
  const file = nameFile(path);
  const decoded = decodeText(readFileSync(path));
  if ('text' in decoded) return { file, source: decoded.text };
  faults.push(tellUndecoded(file, decoded));
  return undefined;
}

function substitute(source: string, suffix: '' | '_html'): string {
  return source.replaceAll(variablePattern, (_, variable: string) => `{{${variable}${suffix}}}`);
}

function findFaults(part: Part): string[] {
  const rule =
    part.part === 'subject.txt' ? subjectRule : (bodyRules.get(part.template) ?? bodyRule);
  return [
    ...findSyntaxFaults(part),
    ...findUnknownVariables(part, rule.allowed),
    ...findMissingVariables(part, rule.required),
    ...(part.part === 'subject.txt' ? findSecondLine(part) : []),
    ...(part.part === 'body.html' ? findBareAttributes(part) : []),
    ...(part.part === 'body.html' ? findMarkupInTags(part) : []),
    ...(part.part === 'body.txt' ? findOtherLinks(part) : []),
  ];
}

/**
 * What SES's template engine would read as its own syntax, and every `${` that is not a whole
 * variable.
 */
function findSyntaxFaults(part: Part): string[] {
  // A brace or a backslash that touches `${` would make `{{{x}}` or `\{{x}}` of it: raw or
  // unreplaced output.
  const brokenSyntax = /\{\{|\}\}|[{\\](?=\$\{)|\$\{(?![A-Za-z][A-Za-z0-9]*\})/g;
  return Array.from(part.source.matchAll(brokenSyntax), ({ 0: found, index }) => {
    const where = locate(part, index);
    if (found === '${') return `${where}: malformed \${; allowed: \${name}, without spaces`;
    if (found === '{' || found === '\\') {
      return `${where}: ${found} before a variable; put a space between them`;
    }
    return `${where}: ${found} belongs to the syntax of SES; write variables as \${name}, and a space between two braces`;
  });
}

function findUnknownVariables(part: Part, allowed: readonly string[]): string[] {
  return Array.from(part.source.matchAll(variablePattern))
    .filter(([, variable = '']) => !allowed.includes(variable))
    .map(({ 0: found, index }) => {
      const where = locate(part, index);
      return `${where}: unknown variable ${found}; allowed: ${listVariables(allowed, ', ')}`;
    });
}

function findMissingVariables(part: Part, required: PartRule['required']): string[] {
  const found = new Set(
    Array.from(part.source.matchAll(variablePattern), ([, variable]) => variable),
  );
  return required
    .filter((group) => !group.some((variable) => found.has(variable)))
    .map((group) => `${part.file}:1: missing variable ${listVariables(group, ' or ')}`);
}

/** A header has one line. */
function findSecondLine(part: Part): string[] {
  const end = part.source.trimEnd().indexOf('\n');
  return end < 0 ? [] : [`${locate(part, end + 1)}: a second line; a subject has one`];
}

/**
 * Escaping makes a value inert as text and between quotation marks; a space would end an attribute
 * without them.
 */
function findBareAttributes(part: Part): string[] {
  return Array.from(
    part.source.matchAll(/=\s*(?=\$\{)/g),
    ({ index }) =>
      `${locate(part, index)}: an attribute without quotation marks around its variable`,
  );
}

/**
 * These two are elements of their own in HTML: a list's items, and a domain that is cut so that
 * nothing links it.
 */
function findMarkupInTags(part: Part): string[] {
  return Array.from(
    part.source.matchAll(/<[^<>]*(\$\{(?:appDomain|requestedScopes)\})[^<>]*>/g),
    ({ 1: variable, index }) =>
      `${locate(part, index)}: ${variable} inside a tag; in HTML it is markup, so its place is between tags`,
  );
}

/** Readers, people and programs alike, take the one address of the text part for the link. */
function findOtherLinks(part: Part): string[] {
  return Array.from(
    part.source.matchAll(/[a-z][a-z0-9+.-]*:\/\/|www\./gi),
    ({ 0: found, index }) =>
      `${locate(part, index)}: another address (${found}); allowed: \${magicLink} alone`,
  );
}

function findExcess(template: NotificationTemplate, folder: string): string[] {
  const { name, locale, subject, html, text } = template;
  const faults: string[] = [];
  const nameLength = name.length + locale.length;
  if (nameLength > OWN_NAME_LENGTH) {
    faults.push(
      `${folder}:1: ${nameLength} characters in the names of template and locale together; allowed: ${OWN_NAME_LENGTH}`,
    );
  }
  if (subject.length > SUBJECT_LENGTH) {
    faults.push(
      `${folder}/subject.txt:1: ${subject.length} characters; allowed: ${SUBJECT_LENGTH}`,
    );
  }
  const bytes = Buffer.byteLength(subject + html + text);
  if (bytes > TEMPLATE_BYTES) {
    faults.push(
      `${folder}/body.html:1: ${bytes} bytes together with subject and text; allowed: ${TEMPLATE_BYTES}`,
    );
  }
  return faults;
}

function locate({ file, source, places }: Part, index: number): string {
  const line = source.slice(0, index).split('\n').length;
  return places?.[line - 1] ?? `${file}:${line}`;
}

function nameFile(path: string): string {
  return relative(process.cwd(), path);
}

function listVariables(variables: readonly string[], separator: string): string {
  return variables.map((variable) => `\${${variable}}`).join(separator);
}
