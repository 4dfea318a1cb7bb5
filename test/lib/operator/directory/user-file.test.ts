/**
 * Files of users: what is read of CSV and JSON, in which line each row stands, and what a report of
 * rejected rows says.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRows } from '../../../../lib/operator/directory/import-users.ts';
import { readUserFile } from '../../../../lib/operator/directory/user-file.ts';

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'users-')), name);
  await writeFile(path, text);
  return path;
}

const read = async (name: string, text: string) => readUserFile(await fileOf(name, text));

describe('CSV', () => {
  it('has members in its first row, quoted cells, absent ones where nothing stands, and a mark before it', async () => {
    const { rows } = await read(
      'users.csv',
      '\ufeffsub,username,email,email_verified,name,enabled\r\nu-1,one,one@example.com,TRUE,"Smith, ""Jo""",\r\n\r\nu-2, two ,,,"two\nlines",false\r\n,,,,,\r\nu-3,three,,maybe,,\r\n',
    );
    expect(rows).toEqual([
      {
        line: 2,
        members: {
          sub: 'u-1',
          username: 'one',
          email: 'one@example.com',
          email_verified: true,
          name: 'Smith, "Jo"',
        },
      },
      { line: 4, members: { sub: 'u-2', username: 'two', name: 'two\nlines', enabled: false } },
      { line: 7, members: { sub: 'u-3', username: 'three', email_verified: 'maybe' } },
    ]);
  });

  it('may have semicolons or tabs between its cells', async () => {
    for (const sign of [';', '\t']) {
      const { rows } = await read('users.csv', `sub${sign}username\nu-1${sign}one\n`);
      expect(rows).toEqual([{ line: 2, members: { sub: 'u-1', username: 'one' } }]);
    }
  });

  it.each<[string, string, string]>([
    [
      'a member nobody knows',
      'sub,username,mail\n',
      'first row: unknown member "mail"; allowed: sub, username, email, email_verified, name, locale, enabled',
    ],
    ['a member twice', 'sub,username,sub\n', 'first row: member sub is there twice'],
    ['no username', 'sub,email\n', 'first row: member username is missing'],
    ['nothing', '', 'is empty; the first row names the members'],
    ['a quote that never ends', 'sub,username\nu-1,"one\n', 'is not CSV (Quote Not Closed'],
    ['a quote in the middle', 'sub,username\nu-1,o"ne\n', 'at line 2'],
  ])('with %s is refused as a whole', async (_, text, message) => {
    const path = await fileOf('users.csv', text);
    const error = await readUserFile(path).catch((fault: unknown) => String(fault));
    expect(error).toContain(`${path}: `);
    expect(error).toContain(message);
  });

  it('reports rejected rows so that they can be corrected and read again', async () => {
    const text =
      'sub,username,name\nu-1,bad name,"Smith, Jo"\nu-2,two,Two,more\nu-3,three,"a ""b"""\n';
    const file = await read('users.csv', text);
    const { valid, rejected } = judgeRows(file.rows);
    expect(valid.map(({ user }) => user.sub)).toEqual(['u-3']);
    const report = file.formatRejected(rejected);
    expect(report).toBe(
      `rejected,sub,username,name
"line 2: username: must be 1 to 64 letters, digits or . _ + - ' # $ : / (no @, no space)",u-1,bad name,"Smith, Jo"
line 3: has 4 cells where the first row has 3,u-2,two,Two,more
`,
    );
    const corrected = report.replace('bad name', 'good.name').replace(',more', '');
    const again = await read('users.rejected.csv', corrected);
    expect(judgeRows(again.rows)).toMatchObject({
      rejected: [],
      valid: [{ user: { sub: 'u-1', username: 'good.name' } }, { user: { sub: 'u-2' } }],
    });
  });
});

const before = [
  '',
  '\n',
  '\r\n',
  '\n\n\n',
  '  \n',
  '\t\n',
  ',,,\n',
  ';;\n',
  '"";""\n',
  '\ufeff',
  '\ufeff\r\n;;;\r\n',
];

describe.each([
  ['commas', ','],
  ['semicolons', ';'],
  ['tabs', '\t'],
])('O36: CSV with %s', (_, sign) => {
  const records = `sub${sign}username${sign}name\nu-1${sign}one${sign}"A, B; C"\n`;

  it.each(before)('is read alike with %j before its first record', async (begin) => {
    const { rows } = await read('users.csv', `${begin}${records}`);
    const line = begin.split('\n').length + 1;
    expect(rows).toEqual([{ line, members: { sub: 'u-1', username: 'one', name: 'A, B; C' } }]);
  });

  it('may say what separates its cells in a line of its own', async () => {
    const { rows } = await read('users.csv', `sep=${sign}\r\n${records}`);
    expect(rows[0]).toMatchObject({ line: 3, members: { sub: 'u-1' } });
  });

  it('is read alike whatever ends its lines', async () => {
    for (const end of ['\r\n', '\r']) {
      const { rows } = await read('users.csv', records.replaceAll('\n', end));
      expect(rows[0]?.members).toEqual({ sub: 'u-1', username: 'one', name: 'A, B; C' });
    }
  });
});

describe('O37: what is rejected keeps', () => {
  const forms = ['', '\ufeff'].flatMap((mark) =>
    [',', ';', '\t'].flatMap((sign) =>
      ['\n', '\r\n'].flatMap((end) => ['', '"'].map((quote) => ({ mark, sign, end, quote }))),
    ),
  );

  it.each(forms)(
    'mark $mark, delimiter $sign, line end $end and quotes $quote of its file',
    async (form) => {
      const { mark, sign, end, quote } = form;
      const line = (...cells: string[]) =>
        `${cells.map((cell) => `${quote}${cell}${quote}`).join(sign)}${end}`;
      const head = line('sub', 'username', 'name');
      const row = line('u-1', 'bad name', 'Zo\u00eb');
      const file = await read('users.csv', `${mark}${head}${row}${line('u-2', 'two', 'Two')}`);
      const { rejected } = judgeRows(file.rows);
      const report = file.formatRejected(rejected);
      expect(report.startsWith(`${mark}rejected${sign}${head}`)).toBe(true);
      expect(report.endsWith(`${sign}${row}`)).toBe(true);
      expect(report.replaceAll(end, '')).not.toMatch(/[\r\n]/);
    },
  );

  it('the mark and line ends of JSON lines', async () => {
    const file = await read('u.jsonl', '\ufeff{"sub":"u-1","username":"bad name"}\r\n');
    const report = file.formatRejected(judgeRows(file.rows).rejected);
    expect(report).toMatch(/^\ufeff\{"rejected":.*\}\r\n$/);
  });

  it('every text: rows corrected and read again are as if they had been right at once', async () => {
    const name = fc
      .stringMatching(/^[=+\-@';,"\uff1d\u00eb a]{1,12}$/)
      .filter((one) => one.trim() === one);
    const rows = fc.array(name, { minLength: 1, maxLength: 5 });
    const form = fc.constantFrom(...forms);
    await fc.assert(
      fc.asyncProperty(rows, form, async (names, { mark, sign, end }) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const fileWith = (bad: string) =>
          `${mark}sub${sign}username${sign}name${end}${names
            .map((one, index) => `u-${index}${sign}${bad}n${index}${sign}${quoted(one)}${end}`)
            .join('')}`;
        const right = judgeRows((await read('users.csv', fileWith(''))).rows);
        const wrong = await read('users.csv', fileWith('no way '));
        const { rejected } = judgeRows(wrong.rows);
        const corrected = wrong.formatRejected(rejected).replaceAll('no way ', '');
        const again = judgeRows((await read('users.rejected.csv', corrected)).rows);
        const users = ({ valid }: typeof right) => valid.map(({ user }) => user);
        expect([users(again), again.rejected]).toEqual([users(right), []]);
      }),
      { numRuns: 60 },
    );
  });

  it("O38: no formula, and an apostrophe that is the user's own", async () => {
    const text = 'sub,username,name\nu-1,bad name,=HYPERLINK("x")\nu-2,two too,\'=own\n'.replace(
      '=HYPERLINK("x")',
      '"=HYPERLINK(""x"")"',
    );
    const file = await read('users.csv', text);
    const report = file.formatRejected(judgeRows(file.rows).rejected);
    expect(report).toContain(`"'=HYPERLINK(""x"")"`);
    expect(report).toContain(",''=own\n");
    const { rows } = await read('users.csv', report);
    expect(rows.map(({ members }) => members['name'])).toEqual(['=HYPERLINK("x")', "'=own"]);
    // Nothing that no import has written is taken to be guarded.
    const others = await read('users.csv', "sub,username,name\nu-1,'+one,'=own\n");
    expect(others.rows[0]?.members).toMatchObject({ username: "'+one", name: "'=own" });
  });
});

describe('JSON', () => {
  it.each<[string, string]>([
    [
      'a list',
      '[\n {"sub":"u-1","username":"one"},\n\n {"sub":"u-2",\n"username":"{,[\\"two"}, 5]',
    ],
    [
      'a list of users in an object',
      '{"users":[\n {"sub":"u-1","username":"one"},\n\n {"sub":"u-2",\n"username":"{,[\\"two"}, 5]}',
    ],
  ])('as %s has rows with their lines', async (_, text) => {
    expect((await read('users.json', text)).rows).toEqual([
      { line: 2, members: { sub: 'u-1', username: 'one' } },
      { line: 4, members: { sub: 'u-2', username: '{,["two' } },
      { line: 5, members: { value: 5 }, fault: 'is no JSON object' },
    ]);
  });

  it.each<[string, string, string]>([
    ['no list', '{"clients":[]}', 'is no list of users; allowed: [ … ] or {"users": [ … ]}'],
    ['a member twice', '[{"sub":"a","sub":"b"}]', 'member sub is there twice'],
    ['half a list', '[{', 'is not JSON'],
  ])('with %s is refused as a whole', async (_, text, message) => {
    await expect(read('users.json', text)).rejects.toThrow(message);
  });

  it('as an object on each line has a row for each, whatever is wrong with the others', async () => {
    const file = await read(
      'users.jsonl',
      '{"sub":"u-1","username":"one"}\n\n{"sub":\n{"sub":"u-2","sub":"u-3"}\n{"sub":"u-4","username":"four","mail":"x"}\n',
    );
    const { valid, rejected } = judgeRows(file.rows);
    expect(valid.map(({ user }) => user.sub)).toEqual(['u-1']);
    const report = file.formatRejected(rejected).split('\n');
    expect(report[0]).toMatch(
      /^\{"rejected":"line 3: row: is not JSON \(.*","text":"\{\\"sub\\":"\}$/,
    );
    expect(report[1]).toContain('line 4: row: member sub is there twice');
    expect(report[2]).toBe(
      '{"rejected":"line 5: unknown member mail","sub":"u-4","username":"four","mail":"x"}',
    );
  });

  it('leaves aside what an earlier report said', async () => {
    const { rows } = await read(
      'u.jsonl',
      '{"rejected":"line 9: no","sub":"u-1","username":"one"}',
    );
    expect(rows[0]?.members).toEqual({ sub: 'u-1', username: 'one' });
  });
});

it('a file of another kind is refused by its name', async () => {
  await expect(read('users.xlsx', '')).rejects.toThrow(
    'users.xlsx: is of no known format; allowed: names that end in .csv, .json, .jsonl, .ndjson',
  );
});

describe('rows beside one another', () => {
  const row = (line: number, members: Record<string, unknown>) => ({ line, members });

  it('are rejected if their sub or login is in an earlier one, which stays', () => {
    const { valid, rejected } = judgeRows([
      row(2, { sub: 'u-1', username: 'one', email: 'one@example.com' }),
      row(3, { sub: 'u-1', username: 'other' }),
      row(4, { sub: 'u-2', username: 'ONE' }),
      row(5, { sub: 'u-3', username: 'three', email: 'One@Example.com' }),
    ]);
    expect(valid.map(({ user }) => user.sub)).toEqual(['u-1']);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'sub u-1 is in line 2 as well',
      'login one is in line 2 as well',
      'login one@example.com is in line 2 as well',
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no sub', { username: 'one' }, 'sub: is missing'],
    [
      'two faults',
      { sub: 'u 1', username: 'a@b' },
      'sub: must be 1 to 255 printable ASCII characters without space; username: must be',
    ],
    [
      'an address list',
      { sub: 'u-1', username: 'one', email: 'a@b.example,c@d.example' },
      'email: must be one e-mail address',
    ],
    [
      'a verification of nothing',
      { sub: 'u-1', username: 'one', email_verified: true },
      'email_verified: must be false without an email',
    ],
    ['a number for a name', { sub: 'u-1', username: 'one', name: 5 }, 'name: must be a text'],
  ])('are rejected for %s, by member', (_, members, message) => {
    expect(judgeRows([row(2, members)]).rejected[0]?.reason).toContain(message);
  });
});
