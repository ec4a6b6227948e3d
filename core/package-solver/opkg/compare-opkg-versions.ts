/** A version in opkg's parts: `epoch:version-revision`. */
interface Parts {
  readonly epoch: number;
  readonly version: string;
  readonly revision: string;
}

/**
 * Returns a negative number if the first version is older for opkg, a positive one if it is newer, and 0 if both are
 * the same to it. The rules are dpkg's (deb-version(7)): epoch, version and revision count in this order. In each, runs
 * of other characters and numbers alternate; `~` comes before the end, and letters come before all other characters.
 */
export function compareOpkgVersions(first: string, second: string): number {
  const [one, two] = [partsOf(first), partsOf(second)];
  return one.epoch - two.epoch || compareTexts(one.version, two.version) || compareTexts(one.revision, two.revision);
}

function partsOf(text: string): Parts {
  const epoch = /^(\d{1,10}):/.exec(text)?.[1];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: Number(epoch ?? 0),
    version: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

const [ZERO, NINE, TILDE] = [48, 57, 126];

function compareTexts(one: string, two: string): number {
  let [at, other] = [0, 0];
  while (at < one.length || other < two.length) {
    while ((at < one.length && !isDigit(one, at)) || (other < two.length && !isDigit(two, other))) {
      const difference = rank(one, at) - rank(two, other);
      if (difference !== 0) return difference;
      at++;
      other++;
    }
    const [end, otherEnd] = [endOfNumber(one, at), endOfNumber(two, other)];
    const [from, otherFrom] = [skipZeros(one, at, end), skipZeros(two, other, otherEnd)];
    const difference = end - from - (otherEnd - otherFrom);
    if (difference !== 0) return difference;
    const [number, otherNumber] = [one.slice(from, end), two.slice(otherFrom, otherEnd)];
    if (number !== otherNumber) return number < otherNumber ? -1 : 1;
    at = end;
    other = otherEnd;
  }
  return 0;
}

const isDigit = (text: string, at: number): boolean => text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE;

function endOfNumber(text: string, from: number): number {
  let end = from;
  while (end < text.length && isDigit(text, end)) end++;
  return end;
}

function skipZeros(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) === ZERO) at++;
  return at;
}

/** Returns the rank of a character: `~`, then the end and digits, then letters, then all others. */
function rank(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === TILDE) return -1;
  const lower = code | 32;
  return lower >= 97 && lower <= 122 ? code : code + 256;
}
