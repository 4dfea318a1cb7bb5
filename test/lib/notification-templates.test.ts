/**
 * The notification templates: what the shipped mails hold, what the check at synth refuses, and
 * that a hostile value stays text in both parts of a rendered mail.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CreateEmailTemplateCommand, SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { lookUpTexts } from '../../lambdas/ciba/words/catalogue.ts';
import { escapeHtml } from '../../lambdas/ciba/words/html.ts';
import { templateData } from '../../lambdas/ciba/words/notification.ts';
import {
  compileNotificationTemplates,
  DEPLOYMENT_NAME_LENGTH,
} from '../../lib/notification-templates/compile.ts';
import { decodeHtml } from '../support/decoded-html.ts';
import { exampleRequest } from '../support/example-request.ts';

const withMessage = 'ciba-with-binding-message';
const withoutMessage = 'ciba-without-binding-message';

/** What SES takes for the name of a template. */
const SES_NAME_LENGTH = 64;

/**
 * In each language: what is done with a request that nobody knows, and that the mail stays with its
 * recipient.
 */
const advice: Record<string, { unknown: RegExp; leave: RegExp; neverForward: RegExp }> = {
  de: {
    unknown: /Sie kennen diese Anfrage nicht\?/,
    leave: /den\s+Link\s+ungeöffnet\s+lassen/,
    neverForward: /Leiten Sie diese E-Mail niemals weiter/,
  },
  en: {
    unknown: /do not recognize this request\?/,
    leave: /leave the link\s+unopened/,
    neverForward: /Never forward this mail/,
  },
  es: {
    unknown: /¿No reconoce esta solicitud\?/,
    leave: /dejar el enlace sin abrir/,
    neverForward: /No reenvíe nunca este correo/,
  },
  fr: {
    unknown: /Vous ne reconnaissez pas cette demande\u00a0\?/,
    leave: /le\s+lien\s+de\s+côté\s+sans\s+l’ouvrir/,
    neverForward: /Ne transférez jamais cet e-mail/,
  },
  ja: {
    unknown: /このリクエストに心当たりがない場合は、承認しないでください。/,
    leave: /リンクを開かずにおけば/,
    neverForward: /このメールは絶対に転送しないでください。/,
  },
};

describe('the shipped templates', () => {
  const templates = compileNotificationTemplates();

  it('are one with a binding message and one without, in five languages each', () => {
    expect(templates.map(({ name, locale }) => `${name}/${locale}`)).toEqual(
      [withMessage, withoutMessage].flatMap((name) =>
        Object.keys(advice).map((locale) => `${name}/${locale}`),
      ),
    );
  });

  describe.each(templates)('$name in $locale', ({ name, locale, subject, html, text }) => {
    it('takes the escaped twin of every variable in HTML and the plain one elsewhere', () => {
      expect(variablesOf(html).filter((variable) => !variable.endsWith('_html'))).toEqual([]);
      expect(variablesOf(text + subject).filter((variable) => variable.endsWith('_html'))).toEqual(
        [],
      );
    });

    it('leaves nothing of the operator’s syntax behind', () => {
      expect(subject + html + text).not.toContain('${');
    });

    it('shows no text of a client in the subject, save its name', () => {
      expect(variablesOf(subject)).toEqual(['appName']);
    });

    it('has a preheader of our own words alone, which fills the preview up', () => {
      const [, preheader = ''] =
        /<body[^>]*>\s*<div style="display: none;[^>]*>([^<]*)<\/div>/.exec(html) ?? [];
      expect(variablesOf(preheader)).toEqual(['validFor_html']);
      expect(preheader.match(/&#847;&zwnj;&nbsp;/g)?.length).toBeGreaterThanOrEqual(50);
    });

    it('shows the binding message in a box of its own, where it has one', () => {
      const [, box = ''] = /<td class="box"[^>]*>([\s\S]*?)<\/td>/.exec(html) ?? [];
      expect(variablesOf(box)).toEqual(name === withMessage ? ['bindingMessage_html'] : []);
    });

    it('says who asks, what for, since when and until when, where to decide, and under which Request ID', () => {
      const variables = [
        'appName',
        'appDomain',
        ...(name === withMessage ? ['bindingMessage'] : []),
        'requestedScopes',
        'askedAt',
        'expiresAt',
        'validFor',
        'magicLink',
        'requestId',
      ];
      expect(new Set(variablesOf(text))).toEqual(new Set(variables));
      expect(new Set(variablesOf(html))).toEqual(new Set(variables.map((one) => `${one}_html`)));
    });

    it('tells the user what to do with an unknown request, and never to forward the mail', () => {
      const { unknown, leave, neverForward } = advice[locale] ?? {};
      for (const part of [decodeHtml(html), text]) {
        expect(part).toMatch(z.instanceof(RegExp).parse(unknown));
        expect(part).toMatch(z.instanceof(RegExp).parse(leave));
        expect(part).toMatch(z.instanceof(RegExp).parse(neverForward));
      }
    });

    it('is the English one in other words: every tag, style and variable in its place', () => {
      const english = templates.find((other) => other.name === name && other.locale === 'en');
      const structureOf = (mail = '') => mail.match(/<[^>]*>|\{\{\w+\}\}/g);
      const skeleton = structureOf(html)?.map((tag) =>
        tag.replace(/^<html lang="\w+">$/, '<html>'),
      );
      expect(skeleton).toEqual(
        structureOf(english?.html)?.map((tag) => tag.replace('<html lang="en">', '<html>')),
      );
      expect(structureOf(text)).toEqual(structureOf(english?.text));
    });

    it('has the link as its one URL in the text part', () => {
      expect(text.match(/\{\{magicLink\}\}/g)).toHaveLength(1);
      expect(text).not.toMatch(/:\/\/|www\./);
    });

    it('has one anchor, which SES is told not to rewrite', () => {
      expect(html.match(/<a\s[^>]*>/g)).toEqual([
        expect.stringMatching(/^<a ses:no-track href="\{\{magicLink_html\}\}"/),
      ]);
    });

    it('loads nothing from anywhere and runs nothing (T1: opening a mail tells nobody)', () => {
      expect(html).not.toMatch(
        /<(?:img|link|script|iframe|object|form|input|base)\b|url\(|@import|:\/\//i,
      );
    });

    it('names its language and both color schemes', () => {
      expect(html).toContain(`<html lang="${locale}">`);
      expect(html).toContain('<meta name="color-scheme" content="light dark">');
      expect(html).toContain('prefers-color-scheme: dark');
    });
  });
});

const shipped = (name: string) =>
  new URL(`../../lib/notification-templates/${name}`, import.meta.url);

describe('the check at synth', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'notification-templates-'));
    for (const name of [withMessage, withoutMessage]) {
      cpSync(shipped(name), join(directory, name), {
        recursive: true,
      });
    }
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (file: string, source: string) => writeFileSync(join(directory, file), source);
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  /** In English alone, so that one change is one fault. */
  const keepEnglish = () => {
    for (const name of [withMessage, withoutMessage]) {
      for (const locale of readdirSync(join(directory, name))) {
        if (locale !== 'en') rmSync(join(directory, name, locale), { recursive: true });
      }
    }
  };
  const addTemplate = (name: string, ...locales: string[]) => {
    for (const locale of locales) {
      cpSync(join(directory, withMessage, 'en'), join(directory, name, locale), {
        recursive: true,
      });
      cpSync(shipped('layout.en.html'), join(directory, `layout.${locale}.html`));
    }
  };
  const faults = () => {
    try {
      compileNotificationTemplates(directory);
    } catch (error) {
      return String(error)
        .split('\n')
        .slice(1)
        .map((line) =>
          line.slice(line.indexOf(basename(directory)) + basename(directory).length + 1),
        );
    }
    return [];
  };

  it('accepts the shipped templates, and the Request ID under the name of the reference', () => {
    expect(faults()).toEqual([]);
    keepEnglish();
    const file = `${withMessage}/en/body.txt`;
    write(file, read(file).replace('${requestId}', '${authReqId}'));
    expect(faults()).toEqual([]);
    expect(compileNotificationTemplates(directory)[0]?.text).toContain('Request ID: {{authReqId}}');
  });

  const text = 'From ${appName}\n${magicLink}\n${bindingMessage}\n${requestId}\n';
  it.each([
    {
      what: 'an unknown variable',
      part: 'body.txt',
      source: `${text}\n\${foo}\n`,
      fault:
        'body.txt:6: unknown variable ${foo}; allowed: ${appName}, ${magicLink}, ${bindingMessage}, ${appDomain}, ${requestedScopes}, ${askedAt}, ${expiresAt}, ${validFor}, ${requestId}, ${authReqId}',
    },
    {
      what: 'a variable in other letters',
      part: 'body.txt',
      source: text.replace('${appName}', '${appName} ${appname}'),
      fault:
        'body.txt:1: unknown variable ${appname}; allowed: ${appName}, ${magicLink}, ${bindingMessage}, ${appDomain}, ${requestedScopes}, ${askedAt}, ${expiresAt}, ${validFor}, ${requestId}, ${authReqId}',
    },
    {
      what: 'a mail without the client’s name',
      part: 'body.txt',
      source: text.replace('${appName}', ''),
      fault: 'body.txt:1: missing variable ${appName}',
    },
    {
      what: 'a mail without the link',
      part: 'body.html',
      source: text.replace('${magicLink}', ''),
      fault: 'body.html:1: missing variable ${magicLink}',
    },
    {
      what: 'a mail without the binding message',
      part: 'body.txt',
      source: text.replace('${bindingMessage}', ''),
      fault: 'body.txt:1: missing variable ${bindingMessage}',
    },
    {
      what: 'a mail without a Request ID',
      part: 'body.html',
      source: text.replace('${requestId}', ''),
      fault: 'body.html:1: missing variable ${requestId} or ${authReqId}',
    },
    {
      what: 'a subject without the client’s name',
      part: 'subject.txt',
      source: 'Please approve',
      fault: 'subject.txt:1: missing variable ${appName}',
    },
    {
      what: 'the binding message in the subject',
      part: 'subject.txt',
      source: '${appName}: ${bindingMessage}',
      fault:
        'subject.txt:1: unknown variable ${bindingMessage}; allowed: ${appName}, ${requestId}, ${authReqId}',
    },
    {
      what: 'the link in the subject',
      part: 'subject.txt',
      source: '${appName}: ${magicLink}',
      fault:
        'subject.txt:1: unknown variable ${magicLink}; allowed: ${appName}, ${requestId}, ${authReqId}',
    },
    {
      what: 'a subject of two lines',
      part: 'subject.txt',
      source: '${appName}\nBcc: eve@example.com\n',
      fault: 'subject.txt:2: a second line; a subject has one',
    },
    {
      what: 'a subject that is too long',
      part: 'subject.txt',
      source: `\${appName}${'x'.repeat(246)}`,
      fault: 'subject.txt:1: 257 characters; allowed: 256',
    },
    {
      what: 'parts too large for SES',
      part: 'body.html',
      // Six characters of ASCII each.
      source: `${text}${'é'.repeat(84_000)}`,
      fault: /body\.html:1: 50\d{4} bytes together with subject and text; allowed: 500000/,
    },
    {
      what: 'a variable that does not end',
      part: 'body.txt',
      source: `${text}\${appName\n`,
      fault: 'body.txt:5: malformed ${; allowed: ${name}, without spaces',
    },
    {
      what: 'a variable with spaces',
      part: 'body.html',
      source: `${text}\${ appName }`,
      fault: 'body.html:5: malformed ${; allowed: ${name}, without spaces',
    },
    {
      what: 'the syntax of SES: an opening',
      part: 'body.txt',
      source: `${text}{{appName}`,
      fault:
        'body.txt:5: {{ belongs to the syntax of SES; write variables as ${name}, and a space between two braces',
    },
    {
      what: 'the syntax of SES: an end',
      part: 'body.html',
      source: `${text}@media print{.a{color:red}}`,
      fault:
        'body.html:5: }} belongs to the syntax of SES; write variables as ${name}, and a space between two braces',
    },
    {
      what: 'a brace that would make {{{x}} of a variable',
      part: 'body.txt',
      source: `${text}{\${appName}`,
      fault: 'body.txt:5: { before a variable; put a space between them',
    },
    {
      what: 'a backslash that would keep a variable from being replaced',
      part: 'body.txt',
      source: `${text}\\\${appName}`,
      fault: 'body.txt:5: \\ before a variable; put a space between them',
    },
    {
      what: 'an attribute that a value could leave (T5)',
      part: 'body.html',
      source: `${text}<p title=\${bindingMessage}>`,
      fault: 'body.html:5: an attribute without quotation marks around its variable',
    },
    {
      what: 'a list of elements inside a tag',
      part: 'body.html',
      source: `${text}<p title="\${requestedScopes}">`,
      fault:
        'body.html:5: ${requestedScopes} inside a tag; in HTML it is markup, so its place is between tags',
    },
    {
      what: 'a second address in the text part',
      part: 'body.txt',
      source: `${text}https://example.com/help`,
      fault: 'body.txt:5: another address (https://); allowed: ${magicLink} alone',
    },
  ])('refuses $what, naming file and line', ({ part, source, fault }) => {
    write(`${withMessage}/de/${part}`, source);
    const expected =
      fault instanceof RegExp ? expect.stringMatching(fault) : `${withMessage}/de/${fault}`;
    expect(faults()).toEqual([expected]);
  });

  const notice = '<slot name="notice">\n  ${bindingMessage}\n</slot>\n';
  it.each([
    {
      what: 'a variable of a slot',
      file: `${withMessage}/de/body.html`,
      source: `\n${notice.replace('${', '{${')}`,
      fault: `${withMessage}/de/body.html:3: { before a variable; put a space between them`,
    },
    {
      what: 'a slot that the layout does not have',
      file: `${withMessage}/de/body.html`,
      source: `${notice}<slot name="notices">x</slot>`,
      fault: /^\S+de\/body\.html:4: unknown slot notices; allowed: lang, title, preview, /,
    },
    {
      what: 'a place that nothing fills',
      file: `${withMessage}/de/body.html`,
      source: notice.replaceAll('notice', 'lang'),
      fault: `${withMessage}/de/body.html:1: missing slot notice; it is one of the layout's`,
    },
    {
      what: 'a text between slots',
      file: `${withMessage}/de/body.html`,
      source: `${notice}and more`,
      fault: `${withMessage}/de/body.html:4: text outside of a slot; allowed: slots alone`,
    },
  ])('refuses of a layout $what, naming file and line', ({ file, source, fault }) => {
    write(file, source);
    const [first] = faults();
    expect(first).toEqual(fault instanceof RegExp ? expect.stringMatching(fault) : fault);
  });

  it('takes the layout of the folder before the one that is shipped', () => {
    keepEnglish();
    write('layout.html', '<p>${appName} ${magicLink} ${requestId}</p>\n  <b>[[notice]]</b>\n');
    expect(faults()).toEqual([]);
    write(
      `${withMessage}/en/body.html`,
      notice.replace('${bindingMessage}', 'A\n    ${bindingMessage}'),
    );
    expect(compileNotificationTemplates(directory)[0]?.html).toBe(
      '<p>{{appName_html}} {{magicLink_html}} {{requestId_html}}</p>\n  <b>A\n    {{bindingMessage_html}}</b>\n',
    );
  });

  it('refuses the binding message in the template for requests without one', () => {
    write(`${withoutMessage}/fr/body.txt`, text);
    expect(faults()).toEqual([
      `${withoutMessage}/fr/body.txt:3: unknown variable \${bindingMessage}; allowed: \${appName}, \${magicLink}, \${appDomain}, \${requestedScopes}, \${askedAt}, \${expiresAt}, \${validFor}, \${requestId}, \${authReqId}`,
    ]);
  });

  it('leaves it to every other template whether it shows the binding message', () => {
    addTemplate('with-it', 'en');
    addTemplate('without', 'en');
    for (const part of ['body.html', 'body.txt']) {
      write(`without/en/${part}`, read(`${withoutMessage}/en/${part}`));
    }
    expect(faults()).toEqual([]);
    write('without/en/body.txt', text.replace('${magicLink}', ''));
    expect(faults()).toEqual(['without/en/body.txt:1: missing variable ${magicLink}']);
  });

  it('refuses a locale that lacks a part', () => {
    rmSync(join(directory, withMessage, 'ja', 'body.txt'));
    expect(faults()).toEqual([
      `${withMessage}/ja/body.txt:1: missing file; a template is subject.txt, body.html, body.txt`,
    ]);
  });

  it.each(['en', 'deu', 'pt-BR', 'zh-Hant', 'zh-Hant-TW', 'es-419'])(
    'takes the locale %s',
    (locale) => {
      addTemplate('other', 'en', locale);
      const compiled = compileNotificationTemplates(directory);
      const locales = compiled.filter(({ name }) => name === 'other').map((other) => other.locale);
      expect(locales).toEqual([...new Set(['en', locale])].sort());
    },
  );

  it.each(['de_DE', 'de-de', 'DE', 'english', 'zh-hant', 'zh-TW-Hant', 'en-US-x-y', 'd', '.de'])(
    'refuses %s as a locale',
    (locale) => {
      addTemplate('other', 'en', locale);
      expect(faults()).toEqual([
        `other/${locale}:1: not the name of a locale; allowed: language tags such as en, pt-BR or zh-Hant`,
      ]);
    },
  );

  it.each([
    'Other',
    'other_mail',
    'other--mail',
    '-other',
    'other-',
    '2-other',
    'other-2',
    'öther',
  ])('refuses %s as the name of a template', (name) => {
    addTemplate(name, 'en');
    expect(faults()).toEqual([
      `${name}:1: not the name of a template; allowed: words of lower-case letters and digits, a letter first, with hyphens between them`,
    ]);
  });

  it('refuses a template without the locale for everybody else', () => {
    addTemplate('other', 'de');
    expect(faults()).toEqual([
      'other:1: missing locale en; it is for users whose language a template does not have',
    ]);
  });

  it('refuses a part that is in no locale', () => {
    write(`${withMessage}/subject.txt`, '${appName}');
    expect(faults()).toEqual([
      `${withMessage}/subject.txt:1: a part outside of a locale; its place is a folder such as ${withMessage}/en`,
    ]);
  });

  it('refuses names that with a deployment of the longest name are longer than SES takes', () => {
    const longest = SES_NAME_LENGTH - `${'x'.repeat(DEPLOYMENT_NAME_LENGTH)}--en`.length;
    addTemplate('a'.repeat(longest), 'en');
    expect(faults()).toEqual([]);
    addTemplate('a'.repeat(longest), 'deu');
    addTemplate('a'.repeat(longest + 1), 'en');
    expect(faults()).toEqual([
      `${'a'.repeat(longest)}/deu:1: 41 characters in the names of template and locale together; allowed: 40`,
      `${'a'.repeat(longest + 1)}/en:1: 41 characters in the names of template and locale together; allowed: 40`,
    ]);
  });

  it('shows all faults at once', () => {
    write(`${withMessage}/en/body.txt`, text.replace('${requestId}', '${foo}\n{{bar'));
    rmSync(join(directory, withoutMessage, 'fr'), { recursive: true });
    mkdirSync(join(directory, withoutMessage, 'fr_CA'));
    // A malformed variable, an unknown and a missing one; no locale and its three parts.
    expect(faults()).toHaveLength(3 + 4);
  });

  it('names files relative to where synth runs', () => {
    const shipped = new URL('../../lib', import.meta.url).pathname;
    expect(() => compileNotificationTemplates(shipped)).toThrow(
      /^lib\/operator:1: missing locale en/m,
    );
  });
});

describe('a rendered mail', () => {
  const hostile = `<img src=x onerror="alert('1')">{{magicLink}}{{{magicLink_html}}}\${appName}&amp;`;
  const magicLink = 'https://op.example/approve/ref.secret-_';
  const request = exampleRequest({ bindingMessage: hostile });
  const data = templateData(lookUpTexts([]), {
    request,
    clientName: hostile,
    domain: 'pay.fuel.example',
    magicLink,
  });

  it.each(compileNotificationTemplates())(
    'of $name in $locale asks for nothing that is not sent with it (F10)',
    ({ subject, html, text }) => {
      expect(Object.keys(data)).toEqual(expect.arrayContaining(variablesOf(subject + html + text)));
    },
  );

  let server: Server;
  let origin = '';
  beforeAll(async () => {
    server = await startMailServer();
    origin = `http://127.0.0.1:${portOf(server)}`;
  });
  afterAll(() => server.close());

  it.each(compileNotificationTemplates())(
    'of $name in $locale shows hostile values as they are, and never as markup or variables (T5)',
    async ({ name, locale, subject, html, text }) => {
      const client = new SESv2Client({
        endpoint: origin,
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      });
      await client.send(
        new CreateEmailTemplateCommand({
          TemplateName: `${name}-${locale}`,
          TemplateContent: { Subject: subject, Html: html, Text: text },
        }),
      );
      await client.send(
        new SendEmailCommand({
          FromEmailAddress: 'op@op.example',
          Destination: { ToAddresses: ['alice@example.com'] },
          Content: {
            Template: { TemplateName: `${name}-${locale}`, TemplateData: JSON.stringify(data) },
          },
        }),
      );
      const mail = await lastMail(origin);
      const shown = name === withMessage ? 3 : 2;

      expect(mail.subject).toBe(subject.replace('{{appName}}', () => hostile));
      expect(mail.body.text.split(hostile)).toHaveLength(shown + 1);
      expect(mail.body.text.match(/https?:\/\/\S+/g)).toEqual([magicLink]);
      expect(mail.body.text).toContain('pay . fuel . example');

      expect(mail.body.html).not.toContain('<img');
      expect(mail.body.html.split(escapeHtml(hostile))).toHaveLength(shown + 1);
      expect(mail.body.html).toContain(`href="${magicLink}"`);
      expect(mail.body.html.split(magicLink)).toHaveLength(3);
    },
  );
});

function variablesOf(compiled: string): string[] {
  return Array.from(compiled.matchAll(/\{\{(.*?)\}\}/g), ([, variable = '']) => variable);
}

/**
 * The package is CommonJS with a default export, which Node and test runners unwrap differently;
 * `require` is plain.
 */
async function startMailServer(): Promise<Server> {
  const mail: typeof import('aws-ses-v2-local') = createRequire(import.meta.url)(
    'aws-ses-v2-local',
  );
  return await mail.default({ host: '127.0.0.1', port: 0 });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

const store = z.object({
  emails: z.array(
    z.object({ subject: z.string(), body: z.object({ html: z.string(), text: z.string() }) }),
  ),
});

async function lastMail(origin: string) {
  const { emails } = store.parse(await (await fetch(`${origin}/store`)).json());
  const mail = emails.at(-1);
  if (mail === undefined) throw new Error('no mail came');
  return mail;
}
