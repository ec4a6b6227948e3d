import * as z from 'zod';
import { codePoints, hasNul, lax, reject, word } from './fields.ts';

/** The limits that an operator sets, by the reference server's settings of the same names. */
export interface RequestLimits {
  /** The limit in code points, not bytes. */
  readonly maxDefaultsLength: number;
  readonly maxCustomRootfsSizeMb: number;
}

/** The defaults of `max_defaults_length` and `max_custom_rootfs_size_mb` in the reference server. */
export const DEFAULT_LIMITS: RequestLimits = { maxDefaultsLength: 20_480, maxCustomRootfsSizeMb: 1024 };

/** No device needs more packages. The limit keeps command lines far below that of the kernel. */
export const MAX_PACKAGES = 1_000;
export const MAX_REPOSITORIES = 64;
export const MAX_REPOSITORY_KEYS = 16;
export const MAX_REPOSITORY_KEY_LENGTH = 4_096;

/** The largest number of items of each list and map of a request. */
export const MAX_ITEMS = {
  packages: MAX_PACKAGES,
  packages_versions: MAX_PACKAGES,
  repositories: MAX_REPOSITORIES,
  repository_keys: MAX_REPOSITORY_KEYS,
} as const;

export const FILESYSTEMS = ['squashfs', 'ext4', 'ubifs', 'erofs', 'jffs2', 'jffs2-nand', 'targz', 'cpiogz'] as const;
export type Filesystem = (typeof FILESYSTEMS)[number];

/**
 * The patterns that ImageBuilder's make cannot mistake for its own syntax (docs/imagebuilder.md §2): the only shapes of
 * text from a request that may ever reach a command line. Checked here and once more by the runner, where a `~` may only
 * follow the `-` of a removal. Upstream publishes packages with a leading `~` for some devices.
 */
export const PACKAGE_NAME = /^[+-]?~?[A-Za-z0-9][A-Za-z0-9._+-]*$/;
export const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const PACKAGE_NAME_OR_EMPTY = /^(?:[+-]?~?[A-Za-z0-9][A-Za-z0-9._+-]*)?$/;
/** Scripts on PCs without a board name send none, or one that begins with an underscore; it is never a profile's own id. */
const PROFILE_INPUT = /^(?:[A-Za-z0-9_][A-Za-z0-9.,_-]*)?$/;
const VERSION = /^[A-Za-z0-9_.,-]*$/;
const TARGET = /^[A-Za-z0-9_]*\/[A-Za-z0-9_]*$/;
const PACKAGE_VERSION = /^[A-Za-z0-9_+.,~-]*$/;
/** opkg stores a list in a file of this name, so `.` and `..` are not allowed. */
export const REPOSITORY_NAME = /^\.*[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;
const REPOSITORY_URL = /^https?:\/\/[^\s"'`$\\<>{}|^\u0000-\u001f\u007f-\u009f]+$/;

/** The limit is about twice OpenWrt's longest name. */
const MAX_PACKAGE_NAME_LENGTH = 128;
/** All names together become one word of a command line, for which the kernel's limit is 128 KiB. */
const MAX_PACKAGES_LENGTH = 65_536;

const packageName = word(PACKAGE_NAME_OR_EMPTY)
  .check((ctx) => {
    if (ctx.value.length > MAX_PACKAGE_NAME_LENGTH)
      reject(ctx, 'string_too_long', `String should have at most ${MAX_PACKAGE_NAME_LENGTH} characters`, {
        max_length: MAX_PACKAGE_NAME_LENGTH,
      });
  })
  .meta({ pattern: PACKAGE_NAME_OR_EMPTY.source, maxLength: MAX_PACKAGE_NAME_LENGTH });

const namesFit = (ctx: z.core.ParsePayload<Record<string, unknown> | string[]>) => {
  const names = Array.isArray(ctx.value) ? ctx.value : Object.keys(ctx.value);
  if (names.reduce((sum, name) => sum + name.length + 1, 0) > MAX_PACKAGES_LENGTH)
    reject(ctx, 'too_long', `Names should have at most ${MAX_PACKAGES_LENGTH} characters together`, { max_length: MAX_PACKAGES_LENGTH });
};

const repositoryUrl = word(REPOSITORY_URL).check((ctx) => {
  const url = URL.parse(ctx.value);
  if (url === null) return reject(ctx, 'url_parsing', 'Input should be a valid URL');
  if (url.username !== '' || url.password !== '') return reject(ctx, 'url_credentials', 'URL should not hold a user name or password');
  if (url.hash !== '' || ctx.value.includes('#')) return reject(ctx, 'url_fragment', 'URL should not have a fragment');
});

const text = () =>
  z
    .string()
    .check((ctx) => {
      if (hasNul(ctx.value)) reject(ctx, 'string_nul', 'String should not contain NUL characters');
    })
    .meta({ pattern: '^[^\\u0000]*$' });

const atMost = (max: number, kind: 'List' | 'Dictionary') => (ctx: z.core.ParsePayload<Record<string, unknown> | unknown[]>) => {
  const actual = Object.keys(ctx.value).length;
  if (actual > max)
    reject(ctx, 'too_long', `${kind} should have at most ${max} items after validation, not ${actual}`, {
      field_type: kind,
      max_length: max,
      actual_length: actual,
    });
};

/**
 * Returns the schema of `POST /api/v1/build` for the operator's limits. The order of its fields is the order of errors,
 * and it drops unknown keys.
 */
export function buildRequestSchema(limits: RequestLimits = DEFAULT_LIMITS) {
  return z
    .object({
      distro: word(VERSION).default('openwrt').meta({ description: 'Distribution: `openwrt`, or another one that this server has.' }),
      version: word(VERSION).meta({
        description: 'Version: release, release candidate, branch snapshot or SNAPSHOT.',
        examples: ['24.10.2'],
      }),
      version_code: word(VERSION)
        .default('')
        .meta({ description: 'The revision that the image must have; empty means any.', examples: ['r28739-d9340319c6'] }),
      target: word(TARGET).meta({ description: 'Target and subtarget.', examples: ['ath79/generic'] }),
      profile: word(PROFILE_INPUT).meta({ description: 'Profile, board name or supported device.', examples: ['8dev_carambola2'] }),
      packages: z
        .array(packageName)
        .check(atMost(MAX_PACKAGES, 'List'), namesFit)
        .default([])
        .meta({
          description: 'Packages to add (`-name` removes one), or the whole list with `diff_packages`.',
          examples: [['vim', 'tmux']],
          maxItems: MAX_PACKAGES,
        }),
      packages_versions: z
        .record(packageName, word(PACKAGE_VERSION))
        .check(atMost(MAX_PACKAGES, 'Dictionary'), namesFit)
        .default({})
        .meta({
          description: 'Package → version that the image must hold; an empty version means any.',
          examples: [{ vim: '9.1-r1' }],
          maxProperties: MAX_PACKAGES,
        }),
      diff_packages: lax
        .boolean()
        .default(false)
        .meta({ description: 'Whether `packages` is the whole list, so that the image lacks all defaults that the list lacks.' }),
      defaults: text()
        .check((ctx) => {
          if (codePoints(ctx.value) > limits.maxDefaultsLength)
            reject(ctx, 'string_too_long', `String should have at most ${limits.maxDefaultsLength} characters`, {
              max_length: limits.maxDefaultsLength,
            });
        })
        .meta({ maxLength: limits.maxDefaultsLength })
        .nullable()
        .default(null)
        .meta({ description: 'A shell script for the first boot (uci-defaults), where the server allows it.' }),
      rootfs_size_mb: lax
        .integer(1, limits.maxCustomRootfsSizeMb)
        .nullable()
        .default(null)
        .meta({ description: 'The size of the root file system partition in MiB.', examples: [256] }),
      filesystem: z
        .enum(FILESYSTEMS)
        .nullable()
        .default(null)
        .meta({ description: 'Make only this root file system.', examples: ['squashfs'] }),
      repositories: z
        .record(word(REPOSITORY_NAME), repositoryUrl)
        .check(atMost(MAX_REPOSITORIES, 'Dictionary'))
        .default({})
        .meta({ description: 'Further package repositories, name → URL, where the server allows them.', maxProperties: MAX_REPOSITORIES }),
      repositories_mode: z
        .enum(['append', 'replace'])
        .default('replace')
        .meta({ description: 'Whether `repositories` are added to the usual ones or replace them.' }),
      repository_keys: z
        .array(
          text()
            .check((ctx) => {
              if (codePoints(ctx.value) > MAX_REPOSITORY_KEY_LENGTH)
                reject(ctx, 'string_too_long', `String should have at most ${MAX_REPOSITORY_KEY_LENGTH} characters`, {
                  max_length: MAX_REPOSITORY_KEY_LENGTH,
                });
            })
            .meta({ maxLength: MAX_REPOSITORY_KEY_LENGTH }),
        )
        .check(atMost(MAX_REPOSITORY_KEYS, 'List'))
        .default([])
        .meta({ description: 'Public keys of `repositories`: usign or PEM text.', maxItems: MAX_REPOSITORY_KEYS }),
      client: text()
        .nullable()
        .default(null)
        .meta({ description: 'Name and version of the client, for statistics.', examples: ['owut/2026.04'] }),
      from_version: word(VERSION)
        .exactOptional()
        .meta({ description: 'The version that the device has now. Only renames between the two versions apply.', examples: ['23.05.5'] }),
      honor_defaults: lax
        .boolean()
        .exactOptional()
        .meta({
          description:
            'Whether the packages that upstream has added to the default ones since `from_version` are added to `packages`. Without `diff_packages` the image has them anyway. Ignored with `skip_package_resolution`.',
          examples: [true],
        }),
    })
    .meta({ id: 'BuildRequest' });
}

/** A build request inside the server: with the names of the wire and every field, null where the client sent none. */
export type BuildRequest = z.output<ReturnType<typeof buildRequestSchema>>;
