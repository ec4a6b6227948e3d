import { MalformedFileError, parseObject } from '#core/catalogue/upstream-files.ts';
import { type BuildOutput, type BuiltFile, type BuiltImage, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { finished } from '#lib/sliced.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { MAX_PROFILES_JSON_BYTES, profilesTooLong } from './output-limits.ts';

/**
 * Returns `builtProfile` of the `profiles.json` among the files of a build in `directory`, for the first of the profile's
 * ids that it has, or `undefined` when there is none.
 */
export async function readBuiltProfile(directory: string, ids: readonly string[], files: readonly BuiltFile[]) {
  const file = files.find(({ name }) => name === 'profiles.json');
  if (file === undefined) return undefined;
  if (file.size > MAX_PROFILES_JSON_BYTES) throw profilesTooLong(file.size);
  const text = await readInside(directory, file.name, MAX_PROFILES_JSON_BYTES);
  if (text === undefined) return undefined;
  for (const id of ids) {
    const built = builtProfile(text.toString('utf8'), id, files);
    if (built !== undefined) return built;
  }
  return undefined;
}

/**
 * Returns what ImageBuilder's `profiles.json` says about the built profile, limited to images that exist and with the
 * SHA-256 of their bytes. They have the order of their names: ImageBuilder lists them as a directory does, which differs
 * between file systems, and between runs where several images are made at the same time. It returns `undefined` when it lacks the profile or any image of it, and throws `InfrastructureFailure`
 * for an invalid document: a package script may have written it, or a full disk may have cut it off.
 */
export function builtProfile(
  text: string,
  profile: string,
  files: readonly BuiltFile[],
): Pick<BuildOutput, 'metadata' | 'profile'> | undefined {
  const { profiles, ...metadata } = readDocument(text);
  const own = asObject(asObject(profiles)?.[profile]);
  if (own === undefined) return undefined;
  const byName = new Map(files.map((file) => [file.name, file]));
  const images = (Array.isArray(own['images']) ? own['images'] : []).flatMap((entry: unknown): BuiltImage[] => {
    const image = asObject(entry);
    const { name, type } = image ?? {};
    const file = typeof name === 'string' ? byName.get(name) : undefined;
    return file === undefined || typeof type !== 'string' ? [] : [{ ...image, name: file.name, type, sha256: file.sha256 }];
  });
  if (images.length === 0) return undefined;
  return { metadata, profile: { ...own, images: images.sort((a, b) => Number(a.name > b.name) - Number(a.name < b.name)) } };
}

function readDocument(text: string): Record<string, unknown> {
  try {
    return finished(parseObject('profiles.json', text));
  } catch (cause) {
    if (!(cause instanceof MalformedFileError)) throw cause;
    throw new InfrastructureFailure(`The profiles.json that the build left cannot be used: ${cause.reason}`, { cause });
  }
}

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
