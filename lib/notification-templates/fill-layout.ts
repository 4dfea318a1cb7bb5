/**
 * Mails that share one layout: where `layout.html` has `[[name]]`, a mail has the content of its
 * `<slot name="name">`. Slots that all mails of a language share are in `layout.<locale>.html`.
 */

/** A file, as an error names it, and its text. */
export interface SourceFile {
  file: string;
  source: string;
}

/** A text of several files, with the `file:line` that each of its lines is from. */
export interface FilledLayout {
  source: string;
  places: string[];
}

interface Line {
  text: string;
  place: string;
}

interface Slot {
  name: string;
  place: string;
  lines: Line[];
}

const slotPattern = /<slot name="([a-z-]+)">([\s\S]*?)<\/slot>/g;
const placePattern = /\[\[([a-z-]+)\]\]/;

/** Whether a body is slots of the layout; any other is a document of its own. */
export function hasSlots(source: string): boolean {
  return /^\s*<slot /.test(source);
}

/**
 * The layout with its slots filled. Each line of a slot is indented as its place in the layout is.
 * @param files whose slots fill it; of slots of one name the last one does
 * @param faults gets `file:line: fault; what is allowed` for what fills nothing, and for a place
 * that nothing fills
 */
export function fillLayout(
  layout: SourceFile,
  files: readonly SourceFile[],
  faults: string[],
): FilledLayout {
  const slots = new Map(files.flatMap(readSlots).map((slot) => [slot.name, slot]));
  const names = linesOf(layout).flatMap(({ text }) => placePattern.exec(text)?.[1] ?? []);
  faults.push(
    ...files.flatMap(findOutside),
    ...findUnknown(slots, names),
    ...names.filter((name) => !slots.has(name)).map((name) => missing(files, name)),
  );
  const filled = linesOf(layout).flatMap((line) => fillLine(line, slots));
  return {
    source: filled.map(({ text }) => text).join('\n'),
    places: filled.map(({ place }) => place),
  };
}

function linesOf({ file, source }: SourceFile): Line[] {
  return source.split('\n').map((text, index) => ({ text, place: `${file}:${index + 1}` }));
}

function readSlots({ file, source }: SourceFile): Slot[] {
  return Array.from(source.matchAll(slotPattern), ({ 1: name = '', 2: content = '', index }) => {
    const first = source.slice(0, index).split('\n').length;
    const lines = content.split('\n').map((text, at) => ({ text, place: `${file}:${first + at}` }));
    return { name, place: `${file}:${first}`, lines: outdent(lines) };
  });
}

/** Without the lines of the tags, and without the indentation that all other lines have. */
function outdent(lines: Line[]): Line[] {
  const written = lines.filter(({ text }) => text.trim() !== '');
  const indentation = Math.min(...written.map(({ text }) => text.search(/\S/)));
  return written.map(({ text, place }) => ({ text: text.slice(indentation), place }));
}

function fillLine(line: Line, slots: ReadonlyMap<string, Slot>): Line[] {
  const [found, name = ''] = placePattern.exec(line.text) ?? [];
  const slot = slots.get(name);
  if (found === undefined || !slot) return [line];
  const [before = '', after = ''] = line.text.split(found);
  const indentation = ' '.repeat(before.search(/\S|$/));
  const last = slot.lines.length - 1;
  return slot.lines.map(({ text, place }, at) => ({
    text: `${at === 0 ? before : indentation}${text}${at === last ? after : ''}`,
    place,
  }));
}

function findOutside({ file, source }: SourceFile): string[] {
  const outside = source.replaceAll(slotPattern, (slot) => slot.replaceAll(/[^\n]/g, ' '));
  const line = outside.split('\n').findIndex((text) => text.trim() !== '');
  return line < 0 ? [] : [`${file}:${line + 1}: text outside of a slot; allowed: slots alone`];
}

function findUnknown(slots: ReadonlyMap<string, Slot>, names: readonly string[]): string[] {
  return [...slots.values()]
    .filter(({ name }) => !names.includes(name))
    .map(({ name, place }) => `${place}: unknown slot ${name}; allowed: ${names.join(', ')}`);
}

function missing(files: readonly SourceFile[], name: string): string {
  return `${files.at(-1)?.file}:1: missing slot ${name}; it is one of the layout's`;
}
