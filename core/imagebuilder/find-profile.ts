import type { MakeInfo } from './make-info.ts';

/**
 * Returns the id under which an ImageBuilder has a profile of upstream's `profiles.json`: the same id, or the only one
 * that supports exactly the same devices. Upstream names a few profiles by the name of their files (`ten64-mtd`), and
 * the ImageBuilder by that of their definition (`traverse_ten64_mtd`). Returns `undefined` where there is none, or more
 * than one: the image of a similar device could leave the device without any.
 */
export function findProfile(profiles: MakeInfo['profiles'], id: string, supportedDevices: readonly string[] = []): string | undefined {
  if (Object.hasOwn(profiles, id)) return id;
  const wanted = namesOf(supportedDevices);
  if (wanted === '') return undefined;
  const found = Object.keys(profiles).filter((one) => namesOf(profiles[one]?.supportedDevices ?? []) === wanted);
  return found.length === 1 ? found[0] : undefined;
}

const namesOf = (devices: readonly string[]): string => [...new Set(devices)].sort().join(' ');
