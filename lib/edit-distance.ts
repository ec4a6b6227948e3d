/**
 * Returns how many letters must be inserted, removed or replaced to make one text of the other (Levenshtein), or `limit
 * + 1` where it is more than `limit`. Only the band of the matrix within the limit is computed.
 */
export function editDistance(a: string, b: string, limit: number): number {
  const beyond = limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current: number[] = new Array(b.length + 1).fill(beyond);
    if (row <= limit) current[0] = row;
    let best = current[0] ?? beyond;
    for (let column = Math.max(1, row - limit); column <= Math.min(b.length, row + limit); column++) {
      const replaced = (previous[column - 1] ?? beyond) + (a.charCodeAt(row - 1) === b.charCodeAt(column - 1) ? 0 : 1);
      const cost = Math.min(replaced, (previous[column] ?? beyond) + 1, (current[column - 1] ?? beyond) + 1);
      current[column] = cost;
      best = Math.min(best, cost);
    }
    if (best > limit) return beyond;
    previous = current;
  }
  return Math.min(previous[b.length] ?? beyond, beyond);
}
