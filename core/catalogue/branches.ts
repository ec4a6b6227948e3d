import * as z from 'zod';

/**
 * An entry of the published table of package changes: `target` replaced `source`, or `source` was dropped if there is
 * no `target` (as owut reads it).
 */
export interface PublishedPackageChange {
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  /** The number of the revision (`r18611`) from which the change holds. */
  readonly revision: number;
  readonly mandatory?: boolean | undefined;
}

/**
 * A series of versions: where upstream keeps it and when it left the main line. Keys other than `name` are the
 * reference server's own and are published to clients as they stand (auc insists on several), absent where the operator
 * gave none.
 */
export interface Branch {
  readonly name: string;
  /** Path below the upstream base, `{version}` standing for the version. */
  readonly path: string;
  readonly enabled: boolean;
  readonly snapshot?: boolean | undefined;
  readonly path_packages?: string | undefined;
  /** The number of the revision at which the branch left the main line. The main line has none. */
  readonly branch_off_rev?: number | undefined;
  /** The operator's own table. Without it the branch publishes the server's (`publishedPackageChanges`). */
  readonly package_changes?: readonly PublishedPackageChange[] | undefined;
}

const branchName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

const branchPath = z
  .string()
  .overwrite((path) => path.replace(/^\/+|\/+$/g, ''))
  .regex(/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*|\{version\})(?:\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*|\{version\}))*$/);

const revisionNumber = z.int().nonnegative();

/**
 * The operator's map of branches, name → settings, in the order in which they are published; it replaces the whole
 * default, as the reference server's setting `branches` does (asu/config.py).
 */
export const Branches = z
  .record(
    branchName,
    z.object({
      path: branchPath,
      enabled: z.boolean().default(true),
      snapshot: z.boolean().exactOptional(),
      path_packages: z.string().exactOptional(),
      branch_off_rev: revisionNumber.exactOptional(),
      package_changes: z
        .array(
          z.object({
            source: z.string().exactOptional(),
            target: z.string().exactOptional(),
            revision: revisionNumber,
            mandatory: z.boolean().exactOptional(),
          }),
        )
        .exactOptional(),
    }),
  )
  .transform((map): readonly Branch[] => Object.entries(map).map(([name, settings]) => ({ name, ...settings })))
  .meta({ id: 'Branches' });

const release = (name: string, branch_off_rev: number): Branch => ({
  name,
  path: 'releases/{version}',
  enabled: true,
  snapshot: false,
  path_packages: 'DEPRECATED',
  branch_off_rev,
});

/** The branches of the reference server, in its order (asu/config.py). */
export const DEFAULT_BRANCHES: readonly Branch[] = [
  { name: 'SNAPSHOT', path: 'snapshots', enabled: true, snapshot: true, path_packages: 'DEPRECATED' },
  release('25.12', 32295),
  release('24.10', 27990),
  release('23.05', 23069),
  release('22.03', 19160),
  release('21.02', 15812),
];

/** Returns the name of the branch of a version, even if there is no such branch. Same as get_branch in asu/util.py. */
export function branchNameOf(version: string): string {
  if (version.endsWith('-SNAPSHOT')) return version.slice(0, -'-SNAPSHOT'.length);
  const lastDot = version.lastIndexOf('.');
  return lastDot === -1 ? version : version.slice(0, lastDot);
}

/** Returns the branch of a version, enabled or not. The name of a branch is also a version of it. */
export function branchOf(version: string, branches: readonly Branch[]): Branch | undefined {
  return branches.find(({ name }) => name === version) ?? branches.find(({ name }) => name === branchNameOf(version));
}

/** Returns the place of a version below the upstream base: `snapshots`, `releases/24.10.2`. */
export function versionPath(version: string, branch: Branch): string {
  return branch.path.replaceAll('{version}', () => version);
}
