/**
 * `npm run rooms` prints the places of the house by floor, the highest first, each with the places
 * that it imports. Exit code 1 if imports lead round in a circle.
 */
import { arrowsOf, findCircle, floorsOf } from './floors.ts';
import { showImport } from './judge-imports.ts';
import { readProductImports } from './read-imports.ts';

const imports = readProductImports();
const arrows = arrowsOf(imports);
const floors = floorsOf(arrows);

for (const [number, places] of [...floors.entries()].toReversed()) {
  console.log(`floor ${number}`);
  for (const place of places) {
    console.log(`  ${place}`);
    for (const to of [...(arrows.get(place) ?? [])].toSorted()) console.log(`    -> ${to}`);
  }
}

const count = [...arrows.values()].reduce((sum, { size }) => sum + size, 0);
console.log(`${arrows.size} places, ${floors.length} floors, ${count} arrows`);
const circle = findCircle(imports);
if (circle.length > 0) {
  console.error(['Round in a circle:', ...circle.map(showImport)].join('\n  '));
  process.exitCode = 1;
}
