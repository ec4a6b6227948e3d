import type { BuildOutput, BuiltFile, BuiltImage } from '#core/build-output.ts';
import { parseObject } from '#core/upstream-files.ts';

/**
 * What ImageBuilder's `profiles.json` says of the built profile, its images limited to files that are there and their
 * sha256 that of the bytes. `undefined`: no such profile, or no image of it.
 */
export function builtProfile(
  text: string,
  profile: string,
  files: readonly BuiltFile[],
): Pick<BuildOutput, 'metadata' | 'profile'> | undefined {
  const { profiles, ...metadata } = parseObject('profiles.json', text);
  const own = asObject(asObject(profiles)?.[profile]);
  if (own === undefined) return undefined;
  const byName = new Map(files.map((file) => [file.name, file]));
  const images = (Array.isArray(own['images']) ? own['images'] : []).flatMap((entry: unknown): BuiltImage[] => {
    const image = asObject(entry);
    const { name, type } = image ?? {};
    const file = typeof name === 'string' ? byName.get(name) : undefined;
    return file === undefined || typeof type !== 'string' ? [] : [{ ...image, name: file.name, type, sha256: file.sha256 }];
  });
  return images.length === 0 ? undefined : { metadata, profile: { ...own, images } };
}

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
