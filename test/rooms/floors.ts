/**
 * The places of the house and their floors: a place lies above every place that it imports. A
 * circle of imports has no floors, because one of its imports runs upwards wherever the places lie.
 */
import { posix } from 'node:path';
import type { Import } from './read-imports.ts';

/** A file directly in one of these is a place by itself; every other place is a folder. */
const foldersOfPlaces = ['lambdas', 'lambdas/ciba', 'lib', 'lib/local', 'lib/operator'];

export function placeOf(file: string): string {
  const folder = posix.dirname(file);
  return foldersOfPlaces.includes(folder) ? file : folder;
}

/** The places of the house, and for each the others that its files import. */
export type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

export function arrowsOf(imports: readonly Import[]): Arrows {
  const files = new Set(imports.map(({ file }) => file));
  const arrows = new Map([...files].map((file) => [placeOf(file), new Set<string>()]));
  for (const { file, from } of imports.filter(isWithinHouse)) {
    if (!arrows.has(placeOf(from))) arrows.set(placeOf(from), new Set());
    if (placeOf(from) !== placeOf(file)) arrows.get(placeOf(file))?.add(placeOf(from));
  }
  return arrows;
}

function isWithinHouse({ from }: Import): boolean {
  return /^(bin|lambdas|lib)\//.test(from);
}

/** The places of each floor, the lowest first; without those that are in a circle or above one. */
export function floorsOf(arrows: Arrows): string[][] {
  const floors: string[][] = [];
  const placed = new Set<string>();
  for (;;) {
    const floor = [...arrows.keys()].filter(
      (place) => !placed.has(place) && [...(arrows.get(place) ?? [])].every((to) => placed.has(to)),
    );
    if (floor.length === 0) return floors;
    floors.push(floor.toSorted());
    for (const place of floor) placed.add(place);
  }
}

/**
 * The imports of a shortest circle of places, none where there is no circle. The step with the
 * fewest imports comes first, because the newest import is most likely there.
 */
export function findCircle(imports: readonly Import[]): Import[] {
  const arrows = arrowsOf(imports);
  const [circle = []] = [...arrows.keys()]
    .map((place) => circleThrough(place, arrows))
    .filter((places) => places.length > 0)
    .toSorted((one, other) => one.length - other.length);
  return circle
    .map((place, index) => {
      const next = circle[(index + 1) % circle.length];
      return imports.filter(({ file, from }) => placeOf(file) === place && placeOf(from) === next);
    })
    .toSorted((one, other) => one.length - other.length)
    .flat();
}

/** The places of a shortest way from a place back to it; none where there is no such way. */
function circleThrough(start: string, arrows: Arrows): string[] {
  let ways = [[start]];
  const seen = new Set<string>();
  while (ways.length > 0) {
    ways = ways.flatMap((way) =>
      [...(arrows.get(way.at(-1) ?? '') ?? [])]
        .filter((next) => !seen.has(next))
        .map((next) => {
          seen.add(next);
          return [...way, next];
        }),
    );
    const round = ways.find((way) => way.at(-1) === start);
    if (round) return round.slice(0, -1);
  }
  return [];
}
