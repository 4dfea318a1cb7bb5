/**
 * The link of a mail as mail programs hand it over: with what stands behind it, cut, or changed. It
 * opens, or a page says in the reader's language that it does not; a person never gets another
 * answer.
 */
import { describe, expect, it } from 'vitest';
import { httpHandler } from '../../../lambdas/http/api-gateway-event.ts';
import { formTokenOf, issuer, providerInMemory } from '../../support/provider-in-memory.ts';

async function mailed() {
  const provider = providerInMemory();
  const link = await provider.mailedLink(await provider.ask());
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const event = { rawPath: path, headers, requestContext: { http: { method: 'GET' } } };
    const { statusCode, body } = await httpHandler(issuer, provider.approve)(event);
    return { status: statusCode, heading: /<h1>(.*?)<\/h1>/.exec(body)?.[1] ?? '', body };
  };
  return { provider, link, path: new URL(link).pathname, open };
}

const behind = [
  ...[
    '/',
    '//',
    '.',
    '..',
    '...',
    ',',
    ';',
    ':',
    '!',
    '?',
    ')',
    ').',
    ']',
    '}',
    '>',
    '>.',
    '"',
    '",',
    "'",
    '’',
  ],
  ...[
    '”',
    '»',
    '。',
    '、',
    ')。',
    '*',
    '**',
    '_',
    '-',
    '~',
    '|',
    '\\',
    '=',
    '&',
    '#',
    '@',
    '$',
    '+',
    '^',
    '`',
    ' ',
  ],
  ...[
    '\u00a0',
    '\u200b',
    '\ufeff',
    '\u2028',
    '%20',
    '%0A',
    '%0D%0A',
    '%09',
    '%3E',
    '%22',
    '%E2%80%9D',
  ],
  ...['%2F', '%29.', '%C2%A0', '%E3%80%82', '%3D', '%7C', '/.', '/)', '%00', '.%20'],
];

describe('P46: a link', () => {
  it.each(behind)('with %j behind it opens', async (text) => {
    const { path, open } = await mailed();
    const { status, heading } = await open(path + text);
    expect([status, heading]).toEqual([200, expect.stringContaining('asks for your approval')]);
  });

  it('with something behind it decides as any', async () => {
    const { provider, link } = await mailed();
    const page = await (await provider.approve(new Request(`${link}).`))).text();
    const body = new URLSearchParams({ form_token: formTokenOf(page), decision: 'deny' });
    const answer = await provider.approve(new Request(`${link}).`, { method: 'POST', body }));
    expect(answer.status).toBe(200);
  });

  const changed: [string, (path: string) => string][] = [
    ['a path of more', (path) => `${path}/more`],
    ['a letter more', (path) => `${path}a`],
    ['a digit more', (path) => `${path}0`],
    ['a word behind it', (path) => `${path}.Thanks`],
    ['a letter of another script behind it', (path) => `${path}ж`],
    ['an encoded letter behind it', (path) => `${path}%41`],
    ['broken percent-encoding behind it', (path) => `${path}%`],
    ['octets of no text behind it', (path) => `${path}%ff`],
    ['much behind it', (path) => path + ')'.repeat(100)],
    ['itself behind it', (path) => `${path}/${path.slice(9)}`],
    ['its last character cut off', (path) => path.slice(0, -1)],
    ['its second half cut off', (path) => path.slice(0, 36)],
    ['all but its beginning cut off', (path) => path.slice(0, 10)],
    ['nothing left of it but a slash', () => '/approve/'],
    ['nothing left of it', () => '/approve'],
    ['a slash too many', (path) => path.replace('/approve/', '/approve//')],
    ['a space before it', (path) => path.replace('/approve/', '/approve/%20')],
    ['a bracket before it', (path) => path.replace('/approve/', '/approve/<')],
    ['capital letters', (path) => `/approve/${path.slice(9).toUpperCase()}`],
    ['small letters', (path) => `/approve/${path.slice(9).toLowerCase()}`],
    ['a line break within', (path) => `${path.slice(0, 40)}%0D%0A${path.slice(40)}`],
    ['a soft hyphen within', (path) => `${path.slice(0, 40)}%C2%AD${path.slice(40)}`],
    ['another word for it', () => '/approve/link'],
  ];

  it.each(changed)(
    'with %s is told of in a page, in the language of its reader',
    async (_what, change) => {
      const { path, open } = await mailed();
      expect(await open(change(path))).toMatchObject({ status: 404, heading: 'Nothing here' });
      const german = await open(change(path), { 'accept-language': 'de' });
      expect(german.status).toBe(404);
      expect(german.body).toContain('<html lang="de"');
    },
  );
});
