import type { TargetRecord } from '#core/catalogue/catalogue.ts';

const withoutCommas = (name: string): string => name.replaceAll(',', '_');

/**
 * Returns the id of the profile that a client means by an id or by a supported device (`8dev,carambola2`), with commas
 * read as underscores. If two profiles support one device, the later one counts, as in the reference server
 * (asu/util.py reload_profiles); unlike there, an id always names its own profile. A target that has only `generic`
 * (x86, armsr) takes any name for it, since its devices have no profiles (asu/routers/api.py). Returns `undefined` if
 * there is no such profile.
 */
export function resolveProfile({ profiles }: Pick<TargetRecord, 'profiles'>, asked: string): string | undefined {
  const name = withoutCommas(asked);
  if (Object.hasOwn(profiles, name)) return name;
  const ids = Object.keys(profiles);
  if (ids.length === 1 && ids[0] === 'generic') return 'generic';
  if (name === '') return undefined;
  return ids.findLast((id) => profiles[id]?.supportedDevices.some((device) => withoutCommas(device) === name));
}
