/**
 * What the command line prints. Text and tables are for a person, JSON and CSV for programs, and
 * each run has one of them on stdout; notes and progress go to stderr.
 */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { csvRecord } from './csv.ts';
import { COLUMN_GAP, clip, displayWidth, fitColumns, LINE_WIDTH, wrap } from './text-layout.ts';

/** A stream that may be a terminal, with so many columns. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

/** What a part of a text means; only a terminal shows it. */
export type Tone = 'good' | 'warning' | 'bad' | 'quiet' | 'strong';

/** Counts what is done of a known total. */
export interface Progress {
  /** @default 1 */
  advance(count?: number): void;
}

/** What a table is like beside its cells. */
export interface TableForm {
  /** Heads of columns that stay whole, as ids do that one copies. */
  whole?: readonly string[];
  /**
   * Whether a row is one line on a terminal, with the sign … where a cell goes on; elsewhere
   * nothing is cut.
   */
  clips?: boolean;
}

export interface Output {
  /** Whether a program reads stdout (`--json`). */
  readonly isJson: boolean;
  /** One or more lines for a person; nothing with `--json`. */
  line(text: string): void;
  /**
   * Columns under their heads, in 80 columns or the terminal's if it has more; nothing with
   * `--json`. What does not fit is wrapped in its column. No rows, no table: say so with `line`.
   */
  table(head: string[], rows: string[][], form?: TableForm): void;
  /**
   * One JSON value on a line of its own; nothing without `--json`. A command that streams calls it
   * for each value.
   */
  json(value: unknown): void;
  /** One record of comma-separated values. Whoever asks for them asks for neither text nor JSON. */
  csv(cells: readonly string[]): void;
  /**
   * A line beside the answer, on stderr, whoever reads stdout; with `--json` it is a JSON object
   * with the member `note`.
   */
  note(text: string): void;
  /** The text as it is shown on a terminal with colours, or as it is. */
  tone(tone: Tone, text: string): string;
  /**
   * Does work that may take a while. After a second a terminal shows the label on stderr, with a
   * bar if there is a total; it is gone when the work is done.
   */
  during<Result>(
    label: string,
    work: (progress: Progress) => Promise<Result>,
    total?: number,
  ): Promise<Result>;
}

/** Where an output goes. */
export interface OutputStreams {
  stdout: OutputStream;
  stderr: OutputStream;
}

/**
 * An output to these streams. @param isJson is asked each time: options are read after the output
 * is made
 */
export function createOutput({ stdout, stderr }: OutputStreams, isJson: () => boolean): Output {
  const write = (stream: OutputStream, text: string) => void stream.write(`${printable(text)}\n`);
  return {
    get isJson() {
      return isJson();
    },
    line(text) {
      if (!isJson()) write(stdout, text);
    },
    table(head, rows, form = {}) {
      if (isJson() || rows.length === 0) return;
      const { widths, cells } = fitCells(stdout, head, rows, form);
      write(
        stdout,
        layOut(
          head.map((title, at) => tint(stdout, 'quiet', clip(title, widths[at] ?? 0))),
          cells,
        ),
      );
    },
    json(value) {
      if (isJson()) stdout.write(`${JSON.stringify(value)}\n`);
    },
    csv(cells) {
      stdout.write(csvRecord(cells));
    },
    note(text) {
      if (isJson()) stderr.write(`${JSON.stringify({ note: text })}\n`);
      else write(stderr, text);
    },
    tone: (tone, text) => tint(stdout, tone, text),
    during: (label, work, total) => showProgress(stderr, label, work, total),
  };
}

const formats = {
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
} as const satisfies Record<Tone, string>;

/** Node decides by the stream, NO_COLOR and FORCE_COLOR. */
function tint(stream: OutputStream, tone: Tone, text: string): string {
  return styleText(formats[tone], text, { stream });
}

const ESCAPE = String.fromCodePoint(0x1b);

/**
 * Colours, or a character that would move the cursor or turn the text around: what others wrote
 * must not do that.
 */
const notPrintable = new RegExp(
  `${ESCAPE}\\[[\\d;]*m|(?!\\n)\\p{Cc}|[\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]`,
  'gu',
);

function printable(text: string): string {
  return text.replace(notPrintable, (found) => (found.length > 1 ? found : '\ufffd'));
}

const border = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: COLUMN_GAP,
};

/** The width of each column, and the cells as they are shown in it. */
function fitCells(
  stdout: OutputStream,
  head: string[],
  rows: string[][],
  { whole, clips }: TableForm,
) {
  const isTerminal = stdout.isTTY === true;
  const lineWidth = isTerminal ? Math.max(LINE_WIDTH, stdout.columns ?? 0) : LINE_WIDTH;
  const columns = head.map((title, at) => ({
    natural: Math.max(...[title, ...rows.map((row) => row[at] ?? '')].map(widestLine)),
    isWhole: whole?.includes(title) === true,
  }));
  const widths = fitColumns(columns, lineWidth);
  const shown = (cell: string, width: number) =>
    widestLine(cell) <= width
      ? cell
      : clips && isTerminal
        ? clip(cell.replaceAll('\n', ' '), width)
        : wrap(cell, width).join('\n');
  return { widths, cells: rows.map((row) => row.map((cell, at) => shown(cell, widths[at] ?? 0))) };
}

function widestLine(cell: string): number {
  return Math.max(...cell.split('\n').map(displayWidth));
}

function layOut(head: string[], rows: string[][]): string {
  const table = new Table({
    head,
    chars: border,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map(printable)));
  return table.toString().replace(/ +$/gm, '');
}

/** How long work may take before anything is shown. */
const PATIENCE_MILLISECONDS = 1000;

const nothingShown: Progress = { advance() {} };

async function showProgress<Result>(
  stderr: OutputStream,
  label: string,
  work: (progress: Progress) => Promise<Result>,
  total: number | undefined,
): Promise<Result> {
  if (stderr.isTTY !== true) return work(nothingShown);
  const bar = new SingleBar({
    stream: stderr,
    format:
      total === undefined
        ? `${printable(label)} … {duration_formatted}`
        : `${printable(label)} [{bar}] {value}/{total}`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
    fps: 4,
  });
  let done = 0;
  const timer = setTimeout(() => bar.start(total ?? 1, done), PATIENCE_MILLISECONDS);
  try {
    return await work({
      advance(count = 1) {
        done += count;
        if (bar.isActive) bar.update(done);
      },
    });
  } finally {
    clearTimeout(timer);
    if (bar.isActive) bar.stop();
  }
}
