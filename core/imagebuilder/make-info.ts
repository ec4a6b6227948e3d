/** What `make info` says of an ImageBuilder. */
export interface MakeInfo {
  /** `target/subtarget`. */
  readonly target: string;
  /** `r28739-d9340319c6`. */
  readonly revision: string;
  readonly defaultPackages: readonly string[];
  readonly profiles: Readonly<Record<string, MakeInfoProfile>>;
}

interface MakeInfoProfile {
  readonly title?: string;
  /** `-name` included. */
  readonly packages: readonly string[];
  readonly hasImageMetadata: boolean;
  /** As upstream spells them, commas included. */
  readonly supportedDevices: readonly string[];
}

/** `make info` did not say what it always says: the ImageBuilder is broken, or it is not one. */
export class MakeInfoError extends Error {
  override readonly name = 'MakeInfoError';
  constructor(missing: string) {
    super(`\`make info\` has no ${missing}`);
  }
}

/**
 * Reads what `make info` prints, as `_call_info` and PROFILE_LIST of OpenWrt's target/imagebuilder/files/Makefile write it.
 * Throws `MakeInfoError` when a part that every ImageBuilder prints is missing.
 */
export function parseMakeInfo(text: string): MakeInfo {
  const lines = text.split(/\r?\n/);
  const start = lines.indexOf('Available Profiles:');
  if (start === -1) throw new MakeInfoError('list of profiles');
  const head = lines.slice(0, start).join('\n');
  return {
    target: required(head, /^Current Target: "([^"]+)"$/m, 'target'),
    revision: required(head, /^Current Revision: "([^"]+)"$/m, 'revision'),
    defaultPackages: words(required(head, /^Default Packages:(.*)$/m, 'default packages')),
    profiles: parseProfiles(lines.slice(start + 1)),
  };
}

function required(text: string, pattern: RegExp, what: string): string {
  const value = pattern.exec(text)?.[1];
  if (value === undefined) throw new MakeInfoError(what);
  return value;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** A profile is a line `id:` and the indented lines below it; one without a list of packages is not a profile. */
function parseProfiles(lines: readonly string[]): Record<string, MakeInfoProfile> {
  const blocks: { id: string; lines: string[] }[] = [];
  for (const line of lines) {
    const id = /^(\S+):$/.exec(line)?.[1];
    if (id !== undefined) blocks.push({ id, lines: [] });
    else if (line.startsWith('    ')) blocks.at(-1)?.lines.push(line.slice(4));
  }
  return Object.fromEntries(blocks.map(({ id, lines }) => [id, parseProfile(id, lines)]));
}

const FIELD = /^(Packages|hasImageMetadata|SupportedDevices):(.*)$/;

function parseProfile(id: string, lines: readonly string[]): MakeInfoProfile {
  const fields = new Map(lines.flatMap((line) => [FIELD.exec(line) ?? []]).map(([, key, value]) => [key, value ?? '']));
  const packages = fields.get('Packages');
  if (packages === undefined) throw new MakeInfoError(`packages of profile ${id}`);
  const title = lines.find((line) => !FIELD.test(line));
  return {
    ...(title !== undefined && { title }),
    packages: words(packages),
    hasImageMetadata: fields.get('hasImageMetadata')?.trim() === '1',
    supportedDevices: words(fields.get('SupportedDevices') ?? ''),
  };
}
