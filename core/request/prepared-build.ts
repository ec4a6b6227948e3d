import type { OutdatedVersion } from '#core/catalogue/outdated-versions.ts';
import type { PackageChange } from '#core/package-changes/resolve-packages.ts';
import type { Warning } from '#core/warning.ts';
import type { BuildRequest } from './build-request.ts';
import type { RequestHash } from './request-hash.ts';
import type { ValidRequest } from './validate-request.ts';

/**
 * A request that is ready to be built: what ImageBuilder will get, why that differs from what the client asked, and its
 * identity.
 */
export interface PreparedBuild {
  /** The normalised, valid request, with the packages that the client asked for. */
  readonly asked: BuildRequest;
  /** The same request after the package changes. It is complete, and means the same build when a client posts it. */
  readonly resolved: BuildRequest;
  readonly changes: readonly PackageChange[];
  /** The packages of `resolved` that exist nowhere in the feeds. */
  readonly missing: readonly string[];
  /** Similar names for each missing package that has any. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
  /** The packages of `resolved` that are required in a version that upstream does not have. */
  readonly outdated: readonly OutdatedVersion[];
  /** The warnings of what the owner of the device may not have meant; part of every answer about the build. */
  readonly warnings: readonly Warning[];
  readonly valid: ValidRequest;
  readonly inputs: string;
  readonly hash: RequestHash;
}
