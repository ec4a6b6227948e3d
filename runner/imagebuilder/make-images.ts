import { join } from 'node:path';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { BuildProgress } from '#core/build/ports.ts';
import { BuildFailure, type BuildOutput, type FailureEvidence, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { checkManifest } from '#core/imagebuilder/check-manifest.ts';
import {
  type ImageCommand,
  isPackageArgument,
  makeImageCommand,
  makeKeysCommand,
  makeManifestCommand,
} from '#core/imagebuilder/commands.ts';
import { downloadTroubles } from '#core/imagebuilder/download-troubles.ts';
import { explainFailure } from '#core/imagebuilder/explain-failure.ts';
import { failedDownload } from '#core/imagebuilder/failed-downloads.ts';
import { type FailureAnalysis, outputLines } from '#core/imagebuilder/failure-analysis.ts';
import { findProfile } from '#core/imagebuilder/find-profile.ts';
import { type InstalledPackage, manifestOf } from '#core/imagebuilder/manifest.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { canonicalPackages } from '#core/package-changes/canonical-packages.ts';
import { withoutRemoved } from '#core/request/image-packages.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import { type Warning, warningsPart } from '#core/warning.ts';
import { putDirectory } from '#runner/files/put-file.ts';
import type { BuildKey } from '#runner/signing/build-key.ts';
import type { ImagebuilderFacts } from './cache/fill-imagebuilder.ts';
import type { PackageCache } from './cache/package-cache.ts';
import { type Courier, openCourier } from './courier/courier.ts';
import type { ListedFetch } from './courier/fetch-listed.ts';
import type { PackageLists } from './courier/package-lists.ts';
import { COURIER } from './courier/wget-stand-in.ts';
import type { OrderUpstream } from './download/upstream-of.ts';
import { fittingImages } from './fitting-images.ts';
import { evidenceText } from './output/evidence-text.ts';
import { failureOf } from './output/failure-of.ts';
import { installedPackages, measureRoot } from './output/installed-packages.ts';
import { OUTPUT_LIMITS, type OutputLimits } from './output/output-limits.ts';
import { reproduceScript } from './output/reproduce.ts';
import type { CommandResult } from './process/run-command.ts';
import { type MakeContext, runMake, withEvidence } from './process/run-make.ts';
import type { StepTimer } from './process/step-timer.ts';
import { compareIndexes } from './tree/compare-indexes.ts';
import { FILES, isTrusted, orUnusable, prepareTree, withoutLeftOut } from './tree/prepare-tree.ts';
import { unservedRepositories } from './tree/repository-indexes.ts';
import { usedIndexes } from './tree/used-indexes.ts';

export interface MakeImagesDeps {
  readonly make: MakeContext;
  readonly packages: PackageCache;
  /** The server's signing key, if this build may have it. */
  readonly key: BuildKey | undefined;
  readonly upstream: OrderUpstream;
  /** Returns how many images are made at the same time. */
  readonly imageJobs: () => number;
  /** The directory for the images, out of the build's reach. */
  readonly destination: string;
  /** The limits on the output; the default is `OUTPUT_LIMITS`. */
  readonly outputLimits?: OutputLimits;
  readonly courier: { readonly directory: string; readonly lists: PackageLists } & Omit<ListedFetch, 'signal' | 'deadline'>;
}

/** The path of the build's tree that people see: the one in asu's containers, never one of this machine. */
const SHOWN_TREE = '/builder';

const EXTRA_NAME_LENGTH = 12;

/**
 * Runs the steps that differ from build to build, in a tree of their own: packages and images. The fast path is one run
 * of `make image`. When versions are required, `make manifest` runs first, because it is cheaper than images that are
 * thrown away. Both run package scripts, and neither has network where the sandbox can take it away: a courier fetches
 * what the repositories list.
 */
export async function makeImages(
  order: BuildOrder,
  binDir: BinDir,
  facts: ImagebuilderFacts,
  progress: BuildProgress,
  timer: StepTimer,
  deps: MakeImagesDeps,
): Promise<Omit<BuildOutput, 'logPath' | 'durations' | 'dispose'>> {
  const { request } = order;
  const { place, sandbox, log } = deps.make;
  const { tree } = place;
  const uid = sandbox.uidOf(place.slot);
  const dl = join(tree, 'dl');

  progress.enter('calculate_packages_hash');
  const profileId = findProfile(facts.info.profiles, request.profile, order.supportedDevices);
  const profile = profileId === undefined ? undefined : facts.info.profiles[profileId];
  if (profileId === undefined || profile === undefined)
    throw new BuildFailure(`Unsupported profile: ${request.profile}. The ImageBuilder does not know it`);
  const wanted = canonicalPackages({
    packages: request.packages,
    diffPackages: request.diff_packages,
    defaultPackages: facts.info.defaultPackages,
    profilePackages: profile.packages,
  });
  // The API has checked the names of the request: make is never given a bad one, and the order is refused.
  const isLeftOut = (name: string) => !isPackageArgument(name) && !request.packages.includes(name);
  const packages = wanted.filter((name) => !isLeftOut(name));
  const warnings = leftOut(wanted.filter(isLeftOut));
  const installs = withoutRemoved([...facts.info.defaultPackages, ...profile.packages, ...packages]);
  const image = (top: string): ImageCommand => ({
    profile: profileId,
    packages,
    extraImageName: order.requestHash.slice(0, EXTRA_NAME_LENGTH),
    binDir: `${top}/${binDir}`,
    ...(request.defaults ? { files: `${top}/${FILES}` } : {}),
    ...(request.rootfs_size_mb === null ? {} : { rootfsSizeMb: request.rootfs_size_mb }),
    ...(request.filesystem === null ? {} : { filesystem: request.filesystem }),
  });
  const command = makeImageCommand(image(sandbox.treeInside(place)));
  const buildCommand = makeImageCommand(image(SHOWN_TREE));
  const prepared = await prepareTree(order, tree, { facts, uid, upstream: deps.upstream, key: deps.key });
  const trusted = isTrusted(order);
  const repositories = { text: prepared.repositoryText, packageManager: facts.packageManager, upstreamUrl: deps.upstream.upstreamUrl };
  for (const line of unservedRepositories(repositories)) log.line(`Packages of this repository cannot be downloaded: ${line}`);
  const seeded = trusted ? await deps.packages.seed(order.inputs, dl, uid) : 0;

  const courier = await openCourier({
    ...deps.courier,
    repositories,
    expected: order.indexes ?? {},
    cached: { packages: deps.packages, key: order.inputs, pinnedOnly: !trusted },
    uid,
    downloads: { tree, uid },
    log: log.line,
    deadline: deps.make.deadline,
    signal: deps.make.signal,
  });
  const make = await besideCourier(deps.make, courier).catch(async (error: unknown) => {
    await courier.close();
    throw orUnusable(error);
  });
  const printed: CommandResult[] = [];
  const run = async (name: string, argv: readonly string[], installs: readonly string[] = [], jobs = 1): Promise<CommandResult> => {
    await courier.ready(installs);
    const result = await runMake(argv, make, jobs).catch((error: unknown) => {
      throw courier.broken.aborted ? courier.broken.reason : error;
    });
    timer.make(name, result.durationMs);
    printed.push(result);
    return result;
  };
  /** Replaces the path of the tree, because no answer may show paths of this machine. */
  const shown = (text: string) => evidenceText(text).replaceAll(tree, '/builder');
  const evidence = (): FailureEvidence => ({
    buildCommand,
    stdout: shown(printed.map(({ stdout }) => stdout).join('')),
    stderr: shown(printed.map(({ stderr }) => stderr).join('')),
  });

  const installedNow = async (): Promise<InstalledPackage[]> => {
    const installed = await installedPackages(tree, facts.packageManager);
    if (installed.length === 0) throw new InfrastructureFailure('The package database of the image cannot be read', { isFinal: true });
    return installed;
  };

  const indexesUsed = async () => {
    const read = await usedIndexes(tree, repositories, courier.delivered());
    return { ...compareIndexes(order.indexes ?? {}, read), used: read.used };
  };

  /**
   * Whether files of the package cache may be why the build failed: packages that were seeded, or files that it refused
   * to trust. A server that does not answer explains the failure: then the cache is kept for the builds that lack
   * nothing.
   */
  const isCacheSuspect = (error: unknown): boolean => {
    if (deps.make.signal.aborted || courier.wasCutOff()) return false;
    if (seeded > 0 && !(error instanceof BuildFailure)) return true;
    return courier.sharesUnverified() && printed.some(({ stdout, stderr }) => downloadTroubles(outputLines(stdout, stderr)).length > 0);
  };

  try {
    // The certificate is taken before any package script runs, because a script could replace it. Only a signed
    // ImageBuilder has made it then.
    if (facts.packageManager === 'opkg' && (await deps.key?.lacksCertificate())) {
      await run('make_certificate', makeKeysCommand());
      await deps.key?.keepCertificate(tree);
    }
    if (Object.keys(request.packages_versions).length > 0) {
      const result = await run('make_manifest', makeManifestCommand({ profile: profileId, packages }), installs);
      if (result.exitCode !== 0) throw failureOf(result, request, courier.fetched());
      const installed = await installedNow();
      refuse(checkManifest(manifestOf(installed), request.packages_versions, installed));
    }

    progress.enter('building_image');
    const {
      result,
      leftOut,
      warnings: imageWarnings,
      ...made
    } = await fittingImages({
      request,
      profileIds: [request.profile, profileId],
      tree,
      uid,
      imagebuilder: order.imagebuilder.name,
      binDir,
      destination: deps.destination,
      prepared,
      limits: deps.outputLimits ?? OUTPUT_LIMITS,
      signal: deps.make.signal,
      log: log.line,
      makeImage: () => run('make_image', command, installs, deps.imageJobs()),
      failureOf: (failed, files) => failureOf(failed, request, courier.fetched(), files),
      measureRoot: () => measureRoot(tree, (argv) => runMake(argv, make), make.signal),
    });

    const installed = await installedNow();
    const manifest = manifestOf(installed);
    refuse(checkManifest(manifest, request.packages_versions, installed));

    const { used, moved, unknown, lacking } = await indexesUsed();
    for (const source of moved) log.line(`Package index is newer than the one that the request hash stands for: ${source}`);
    for (const source of unknown) log.line(`Package index not compared with that of the request hash: ${source}`);
    if (lacking.length > 0)
      throw new InfrastructureFailure(`Package indexes could not be had: ${lacking.join(', ')}`, {
        evidence: { errors: lacking.map(notHad) },
      });
    if (moved.some((source) => source.startsWith(`${order.versionPath}/targets/`)))
      throw new UpstreamChangedFailure(
        `The packages of ${request.target} are no longer those of revision ${order.revision}: upstream has changed them since the request was accepted. Ask again`,
      );

    return {
      ...made,
      manifest,
      installed: installed.map(({ installedName: name, version }) => ({ name, version })),
      buildCommand,
      packages,
      stdout: shown(result.stdout),
      stderr: shown(result.stderr),
      digests: {
        [`${order.versionPath}/targets/${request.target}/${order.imagebuilder.name}`]: order.imagebuilder.sha256,
        ...Object.fromEntries(used.map(({ source, sha256 }) => [source, sha256])),
      },
      ...warningsPart([...warnings, ...imageWarnings, ...newerFeeds(moved)]),
      reproduce: reproduceScript(order, buildCommand, withoutLeftOut(prepared, leftOut), deps.upstream.upstreamUrl),
    };
  } catch (cause) {
    const error = explainFailure(cause, {
      packages: request.packages,
      defaultPackages: request.diff_packages ? [] : [...facts.info.defaultPackages, ...profile.packages],
      fetched: courier.fetched(),
      lines: outputLines(...printed.flatMap(({ stdout, stderr }) => [stdout, stderr])),
      filesystem: request.filesystem,
      filesystems: prepared.imageFilesystems,
      repositories: request.repositories,
    });
    // The next build must not meet a damaged file that may explain this failure.
    if (isCacheSuspect(error))
      await deps.packages.forget(order.inputs).catch((reason: unknown) => log.line(`Packages not forgotten: ${reason}`));
    // A request that fails with other feeds than it was accepted for has not failed for good.
    const compared = error instanceof BuildFailure ? await indexesUsed().catch(() => undefined) : undefined;
    if (compared !== undefined && compared.moved.length > 0 && error instanceof BuildFailure)
      throw new UpstreamChangedFailure(`${error.message} (the package feeds have changed since the request was accepted: ask again)`, {
        cause: error,
        evidence: { ...evidence(), ...error.evidence },
      });
    throw withEvidence(error, evidence());
  } finally {
    await courier.close();
  }
}

/** The path of the courier below a build's tree, if its sandbox mounts. */
const COURIER_INSIDE = 'asu-courier';

/** Returns the build with access to the courier, which is mounted read-only where the sandbox mounts. */
async function besideCourier(make: MakeContext, { directory, broken }: Courier): Promise<MakeContext> {
  const { sandbox, place } = make;
  const signal = AbortSignal.any([make.signal, broken]);
  if (!sandbox.mountsReadOnlyParts) return { ...make, signal, env: { [COURIER]: directory } };
  await putDirectory(place.tree, COURIER_INSIDE, sandbox.uidOf(place.slot));
  return {
    ...make,
    signal,
    place: { ...place, readOnly: { ...place.readOnly, [COURIER_INSIDE]: directory } },
    env: { [COURIER]: `${sandbox.treeInside(place)}/${COURIER_INSIDE}` },
  };
}

/** The names come from the ImageBuilder itself: those of the request have been checked. */
function leftOut(removals: readonly string[]): Warning[] {
  if (removals.length === 0) return [];
  const packages = removals.map((name) => name.slice(1));
  const detail = `ImageBuilder's own list has packages that could not be removed, because make would misread their names: ${packages.join(', ')}`;
  return [{ code: 'removal_left_out', severity: 'note', detail, packages }];
}

/** The images are published all the same: these are the packages that upstream offers now (decision 42). */
function newerFeeds(moved: readonly string[]): Warning[] {
  if (moved.length === 0) return [];
  const detail = `Upstream published newer package feeds after the request was accepted, and the image was made with them: ${moved.join(', ')}`;
  return [{ code: 'feeds_changed', severity: 'note', detail }];
}

const notHad = (source: string) => failedDownload({ url: source, message: `Could not download ${source}` }, {});

function refuse(problem: FailureAnalysis | undefined): void {
  if (problem !== undefined) throw new BuildFailure(problem.detail, { errors: problem.errors });
}
