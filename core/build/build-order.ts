import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import type { Forecast } from '#core/request/forecast/forecast.ts';
import { installedDigest } from '#core/request/forecast/installed-digest.ts';
import type { PreparedBuild } from '#core/request/prepared-build.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { type Warning, warningsPart } from '#core/warning.ts';

/**
 * All that a runner needs to know of a build: the resolved request and the inputs that the hash was made over. Written
 * once, never changed.
 */
export interface BuildOrder {
  /**
   * The identity of the build. Its first twelve digits are EXTRA_IMAGE_NAME, so every rebuild has the same file names.
   */
  readonly requestHash: RequestHash;
  /** Normalised and resolved: ImageBuilder is asked for just the packages that `packages` lists. */
  readonly request: BuildRequest;
  /** The path of the version below the upstream base: `releases/24.10.2`. */
  readonly versionPath: string;
  readonly arch: string;
  /** The revision the catalogue had when the build was accepted. */
  readonly revision: string;
  readonly imagebuilder: { readonly name: string; readonly sha256: string };
  /** SHA-256 over ImageBuilder digest and index digests. */
  readonly inputs: string;
  /**
   * The digests of the package indexes, to find out whether the build used those very indexes. Orders of earlier
   * versions have none.
   */
  readonly indexes?: IndexDigests;
  /**
   * The names by which upstream's profile knows its device: for ImageBuilders that call the profile differently. Absent:
   * there are none, or an earlier version wrote the order.
   */
  readonly supportedDevices?: readonly string[];
  /** The warnings from when the server accepted the request. Absent where there are none. */
  readonly warnings?: readonly Warning[];
  /** What the server forecast, to compare it with what is built. Absent: an earlier version wrote the order. */
  readonly forecast?: OrderForecast;
}

export interface OrderForecast {
  readonly verdict: Forecast['verdict'];
  /** `installedDigest` of the packages of the image, if the server is sure of them. */
  readonly installed?: string;
}

/** Returns the part of a prepared build that a runner sees. */
export function buildOrderOf(
  prepared: PreparedBuild,
  imagebuilder: BuildOrder['imagebuilder'],
  { verdict, installed, isExact }: Pick<Forecast, 'verdict' | 'installed' | 'isExact'>,
): BuildOrder {
  const { from_version: _, honor_defaults: __, ...request } = prepared.resolved;
  const { record } = prepared.valid;
  const { supportedDevices = [] } = record.profiles[request.profile] ?? {};
  return {
    requestHash: prepared.hash,
    request,
    versionPath: record.versionPath,
    arch: record.arch,
    revision: record.revision,
    imagebuilder,
    inputs: prepared.inputs,
    indexes: record.indexes,
    ...(supportedDevices.length > 0 && { supportedDevices }),
    ...warningsPart(prepared.warnings),
    forecast: { verdict, ...(isExact && { installed: installedDigest(installed) }) },
  };
}
