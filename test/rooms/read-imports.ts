/** Reads the imports of the product with a parser: static and dynamic, of values and of types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

export interface Import {
  /** The file that imports, by its path from the root of the repository. */
  file: string;
  /** The path of the imported file, the name of a package or module, or an expression. */
  from: string;
  /** `default` for a default export, `*` for a whole module, none if the module is only run. */
  names: string[];
  /** Whether it begins with `import type` or `export type`, and is gone after compilation. */
  isType: boolean;
}

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Every import of every file of bin/, lambdas/ and lib/. @throws where a file cannot be parsed */
export function readProductImports(): Import[] {
  return ['bin', 'lambdas', 'lib'].flatMap((room) =>
    readdirSync(join(projectFolder, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => posix.join(room, name.replaceAll('\\', '/')))
      .flatMap((file) => readImports(file, readFileSync(join(projectFolder, file), 'utf8'))),
  );
}

/** The imports of a file with this source. @throws where it cannot be parsed */
export function readImports(file: string, source: string): Import[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);

  const made = (request: string, names: string[], start: number): Import => ({
    file,
    from: /^\.\.?\//.test(request) ? posix.join(posix.dirname(file), request) : request,
    names,
    isType: /^(import|export)\s+type\b/.test(source.slice(start)),
  });
  return [
    ...module.staticImports.map(({ moduleRequest, entries, start }) =>
      made(moduleRequest.value, entries.map(nameIn), start),
    ),
    ...module.staticExports.flatMap(({ entries, start }) =>
      entries.flatMap((entry) =>
        entry.moduleRequest ? [made(entry.moduleRequest.value, [nameIn(entry)], start)] : [],
      ),
    ),
    ...module.dynamicImports.map(({ moduleRequest, start }) => {
      const written = source.slice(moduleRequest.start, moduleRequest.end);
      return made(written.replace(/^(['"`])(.*)\1$/, '$2'), ['*'], start);
    }),
  ];
}

function nameIn({ importName }: { importName: { kind: string; name: string | null } }): string {
  if (importName.kind === 'Default') return 'default';
  return importName.name ?? '*';
}
