import { editDistance } from '#lib/edit-distance.ts';

/** Returns the name that was probably meant: the one with the fewest letters to change, if these are few. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 4));
  const [best] = known.map((other) => ({ other, changes: editDistance(name, other, limit) })).sort((a, b) => a.changes - b.changes);
  return best !== undefined && best.changes <= limit ? best.other : undefined;
}
