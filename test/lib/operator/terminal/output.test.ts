/**
 * What reaches stdout and stderr: text or JSON, tables that line up, nothing that steers the
 * terminal.
 */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOutput, type OutputStream } from '../../../../lib/operator/terminal/output.ts';

/** Nothing of the machine that tests run on decides about colours. */
beforeEach(() => {
  for (const name of ['CI', 'FORCE_COLOR', 'NO_COLOR', 'NODE_DISABLE_COLORS', 'TMUX'])
    vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** As a terminal that knows 256 colours decides it. */
function colorDepth(): number {
  return WriteStream.prototype.getColorDepth({ ...process.env, TERM: 'xterm-256color' });
}

function outputOf({ isJson = false, isTerminal = false } = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr'): OutputStream => {
    const made = Object.assign(
      new PassThrough(),
      isTerminal && { isTTY: true, getColorDepth: colorDepth },
    );
    made.on('data', (chunk) => (written[name] += String(chunk)));
    return made;
  };
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') };
  return { output: createOutput(streams, () => isJson), written };
}

describe('text and JSON', () => {
  it('are never both on stdout', () => {
    for (const isJson of [false, true]) {
      const { output, written } = outputOf({ isJson });
      output.json({ a: 'ä' });
      output.line('a line');
      output.table(['A'], [['1']]);
      output.note('a note');
      expect(written.stdout).toBe(isJson ? '{"a":"ä"}\n' : 'a line\nA\n1\n');
      expect(written.stderr).toBe(isJson ? '{"note":"a note"}\n' : 'a note\n');
    }
  });

  it('is one line for each JSON value', () => {
    const { output, written } = outputOf({ isJson: true });
    output.json({ a: 'two\nlines' });
    output.json([]);
    expect(written.stdout).toBe('{"a":"two\\nlines"}\n[]\n');
  });
});

describe('a table', () => {
  it('lines up characters that are two columns wide, and leaves no space at the end', () => {
    const { output, written } = outputOf();
    output.table(
      ['NAME', '名'],
      [
        ['日本', 'x'],
        ['abcdefg', '🙂 y'],
      ],
    );
    expect(written.stdout).toBe('NAME     名\n日本     x\nabcdefg  🙂 y\n');
  });

  it('is nothing without rows', () => {
    const { output, written } = outputOf();
    output.table(['NAME'], []);
    expect(written.stdout).toBe('');
  });
});

describe('what others wrote', () => {
  it('cannot steer the terminal or turn the text around', () => {
    const { output, written } = outputOf();
    output.line('a\x1b]0;title\x07b\x1b[2Jc\rd\u202ee\u0085');
    output.table(['A'], [['x\x1b[2J\ty']]);
    expect(written.stdout).toBe('a�]0;title�b�[2Jc�d�e�\nA\nx�[2J�y\n');
  });
});

describe('colours', () => {
  it('are for a terminal', () => {
    expect(outputOf({ isTerminal: true }).output.tone('bad', 'x')).toBe('\x1b[31mx\x1b[39m');
    expect(outputOf().output.tone('bad', 'x')).toBe('x');
  });

  it('and not where NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', '1');
    expect(outputOf({ isTerminal: true }).output.tone('bad', 'x')).toBe('x');
  });

  it('get through as they are, in lines and tables', () => {
    const { output, written } = outputOf({ isTerminal: true });
    output.line(output.tone('good', 'x'));
    output.table(['A'], [[output.tone('good', 'x')]]);
    expect(written.stdout).toContain('\x1b[32mx\x1b[39m\n');
    expect(written.stdout).not.toContain('�');
  });
});

describe('progress', () => {
  it('is shown on a terminal after a second, on stderr, and gone in the end', async () => {
    vi.useFakeTimers();
    const { output, written } = outputOf({ isTerminal: true });
    const work = output.during(
      'Reading',
      async ({ advance }) => {
        await sleep(1500);
        advance();
        await sleep(1500);
        return 'done';
      },
      2,
    );
    await vi.advanceTimersByTimeAsync(900);
    expect(written.stderr).toBe('');
    await vi.advanceTimersByTimeAsync(2200);
    expect(await work).toBe('done');
    expect(written.stderr).toContain('Reading');
    expect(written.stderr).toContain('1/2');
    expect(written.stdout).toBe('');
  });

  it('is nothing without a terminal, and hides no fault of the work', async () => {
    const { output, written } = outputOf();
    await expect(output.during('x', () => Promise.reject(new Error('oh')))).rejects.toThrow('oh');
    expect(written).toEqual({ stdout: '', stderr: '' });
  });
});
