/** The name that was probably meant: the one with the fewest letters to change, if these are few. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const [best] = known.map((other) => ({ other, changes: changesBetween(name, other) })).sort((a, b) => a.changes - b.changes);
  return best !== undefined && best.changes <= Math.max(2, Math.floor(name.length / 4)) ? best.other : undefined;
}

/** Levenshtein's distance. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
