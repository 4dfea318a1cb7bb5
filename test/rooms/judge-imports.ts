/** Holds an import against the import law. */
import { type Importable, importLaw, type Row } from './import-law.ts';
import type { Import } from './read-imports.ts';

/** How an import breaks the law, with its file and row; `undefined` where it keeps it. */
export function findBreach(one: Import): string | undefined {
  const row = rowOf(one.file);
  if (!row) return `${one.file} is in no room of the import law`;
  const { room, imports, types = [] } = row;
  const importable = one.isType ? [...imports, ...types] : imports;
  if (importable.some((each) => covers(each, one))) return undefined;
  return `${showImport(one)}; the row ${room} has no such import`;
}

export function showImport({ file, from, names, isType }: Import): string {
  return `${file} imports ${isType ? 'types ' : ''}${names.join(', ')} from ${from}`;
}

/** The row with the longest path of those that the file is beneath. */
function rowOf(file: string): Row | undefined {
  const rows = importLaw.filter(({ room }) => isBeneath(file, room));
  return rows.toSorted((one, other) => other.room.length - one.room.length)[0];
}

function covers(importable: Importable, { from, names }: Import): boolean {
  if (typeof importable === 'string') return isBeneath(from, importable);
  return isBeneath(from, importable.from) && names.every((name) => importable.names.test(name));
}

function isBeneath(path: string, top: string): boolean {
  if (top.endsWith('*')) return path.startsWith(top.slice(0, -1));
  return path === top || path.startsWith(`${top}/`);
}
