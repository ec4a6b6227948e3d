import type { RecordedPair, RecordedWorld } from '#test/support/recorded-worlds.ts';
import type { Random } from '../simulation/random.ts';

export interface AskableNames {
  /** The names of packages. */
  readonly own: readonly string[];
  /** The other names that packages provide, most of which cannot be asked for. */
  readonly provided: readonly string[];
}

/** Returns a request for random packages: a few names that packages have or provide, removals of default ones, whole lists. */
export function randomRequest(
  { default_packages: defaults, profiles }: RecordedWorld,
  { own, provided }: AskableNames,
  random: Random,
): RecordedPair {
  const profile = random.pick(Object.keys(profiles));
  const packages = new Set<string>();
  for (let left = 1 + random.below(4); left > 0; left--) packages.add(random.pick(random.chance(0.1) ? provided : own));
  if (random.chance(0.3)) for (let left = 1 + random.below(3); left > 0; left--) packages.add(`-${random.pick(defaults)}`);
  // A whole list: the words of ImageBuilder then remove what it leaves out.
  if (random.chance(0.2)) {
    const kept = defaults.filter(() => random.chance(0.9));
    for (const name of kept) packages.add(name);
    for (const name of defaults) if (!kept.includes(name)) packages.add(`-${name}`);
  }
  return { id: '', profile, packages: [...packages], diff_packages: false, user: [...packages], ok: true };
}
