import { eachLine } from '#lib/lines.ts';

/** The output of `make info` of an ImageBuilder. */
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
  /** The packages, with `-name` entries. */
  readonly packages: readonly string[];
  readonly hasImageMetadata: boolean;
  /** The names in upstream's spelling, with commas. */
  readonly supportedDevices: readonly string[];
}

/** The output of `make info` lacks what it always has: the ImageBuilder is broken, or it is none. */
export class MakeInfoError extends Error {
  override readonly name = 'MakeInfoError';
  constructor(missing: string) {
    super(`\`make info\` has no ${missing}`);
  }
}

/** The target with most profiles has about 400. */
const MAX_PROFILES = 10_000;
/** They take a tenth of a megabyte. */
const MAX_LENGTH = 4 * 1024 * 1024;
/** A few lines come before the list, and each profile has six. */
const MAX_HEAD_LINES = 1_000;
const MAX_LINES = 100_000;

/** The keys before the list of profiles, each at the start of a line. */
const HEAD = {
  target: /^Current Target: "([^"]+)"$/,
  revision: /^Current Revision: "([^"]+)"$/,
  'default packages': /^Default Packages:(.*)$/,
} as const;

/**
 * Reads what `make info` prints, as `_call_info` and PROFILE_LIST of OpenWrt's target/imagebuilder/files/Makefile write
 * it. Throws `MakeInfoError` when a part that every ImageBuilder prints is missing, or when there are more profiles
 * than any target has.
 */
export function parseMakeInfo(text: string): MakeInfo {
  if (text.length > MAX_LENGTH) throw new MakeInfoError(`end within ${MAX_LENGTH} characters`);
  const head = new Map<string, string>();
  let profiles: [string, MakeInfoProfile][] | undefined;
  let current: ProfileLines | undefined;
  let lines = 0;
  eachLine(text, (line) => {
    lines += 1;
    if (lines > MAX_LINES) throw new MakeInfoError(`end within ${MAX_LINES} lines`);
    if (profiles === undefined) {
      if (lines > MAX_HEAD_LINES) return false;
      if (line === 'Available Profiles:') profiles = [];
      else readHead(line, head);
      return undefined;
    }
    const id = /^(\S+):$/.exec(line)?.[1];
    if (id === undefined) return readProfile(line, current);
    if (current !== undefined) profiles.push(profileOf(current));
    if (profiles.length >= MAX_PROFILES) throw new MakeInfoError(`end of its list of profiles: more than ${MAX_PROFILES}`);
    current = { id };
    return undefined;
  });
  if (profiles === undefined) throw new MakeInfoError('list of profiles');
  if (current !== undefined) (profiles as [string, MakeInfoProfile][]).push(profileOf(current));
  return {
    target: required(head, 'target'),
    revision: required(head, 'revision'),
    defaultPackages: words(required(head, 'default packages')),
    profiles: Object.fromEntries(profiles),
  };
}

function readHead(line: string, head: Map<string, string>): void {
  for (const [what, pattern] of Object.entries(HEAD)) {
    const value = pattern.exec(line)?.[1];
    if (value !== undefined && !head.has(what)) head.set(what, value);
  }
}

function required(head: ReadonlyMap<string, string>, what: keyof typeof HEAD): string {
  const value = head.get(what);
  if (value === undefined) throw new MakeInfoError(what);
  return value;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** A profile is a line `id:` and the indented lines below it; one without a list of packages is not a profile. */
interface ProfileLines {
  readonly id: string;
  title?: string;
  packages?: string;
  hasImageMetadata?: string;
  supportedDevices?: string;
}

const FIELD = /^ {4}(Packages|hasImageMetadata|SupportedDevices):(.*)$/;

function readProfile(line: string, profile: ProfileLines | undefined): undefined {
  if (profile === undefined || !line.startsWith('    ')) return;
  const [, key, value = ''] = FIELD.exec(line) ?? [];
  if (key === 'Packages') profile.packages = value;
  else if (key === 'hasImageMetadata') profile.hasImageMetadata = value;
  else if (key === 'SupportedDevices') profile.supportedDevices = value;
  else profile.title ??= line.slice(4);
}

function profileOf({ id, title, packages, hasImageMetadata, supportedDevices }: ProfileLines): [string, MakeInfoProfile] {
  if (packages === undefined) throw new MakeInfoError(`packages of profile ${id}`);
  return [
    id,
    {
      ...(title !== undefined && { title }),
      packages: words(packages),
      hasImageMetadata: hasImageMetadata?.trim() === '1',
      supportedDevices: words(supportedDevices ?? ''),
    },
  ];
}
