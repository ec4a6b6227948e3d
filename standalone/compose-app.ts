import { dirname } from 'node:path';
import { assertWritable } from '#adapters/disk/assert-writable.ts';
import type { UpstreamCatalogue, UpstreamCatalogueOptions } from '#adapters/upstream/upstream-catalogue.ts';
import { imageFinder } from '#core/build/find-image.ts';
import type { ClientKey } from '#core/build/ports.ts';
import { resultIntegrity } from '#core/build/result-integrity.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { preparationMemory } from '#core/request/preparation-memory.ts';
import { buildSubmitApp } from '#functions/build-submit/app.ts';
import { askPrepare } from '#functions/build-submit/ask-prepare.ts';
import { observeRequests } from '#functions/build-submit/observe-requests.ts';
import { catalogueApp } from '#functions/catalogue/app.ts';
import { docsApp } from '#functions/docs/app.ts';
import { swaggerAssets } from '#functions/docs/swagger-assets.ts';
import { measuredCatalogue } from '#functions/measured-catalogue.ts';
import { otherDistros } from '#functions/other-distros.ts';
import { prepareApp } from '#functions/prepare/app.ts';
import { statsApp } from '#functions/stats/app.ts';
import { statusApp } from '#functions/status/app.ts';
import { storeApp } from '#functions/store/app.ts';
import { withoutDetails } from '#http/checks.ts';
import { estimateSeconds } from '#http/estimate-seconds.ts';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { metricsRoutes } from '#http/metrics-routes.ts';
import { addressOf } from '#http/rate-limit/client-keys.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { inTurn } from '#lib/in-turn.ts';
import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { VERSION } from '#settings/version.ts';
import type { ServerParts } from './server-parts.ts';

export interface AppParts extends ServerParts {
  /** Names a client by its address. */
  readonly keyOf: (address: string) => ClientKey;
  /** The text of `/signing-key.pub`. */
  readonly signingKey: string | undefined;
  /** How far builds are kept from this machine. */
  readonly sandbox: SandboxFacts | undefined;
}

/** Results are small texts that never change under their `bin_dir`. */
const REMEMBERED_RESULTS_BYTES = 32 * 1024 * 1024;

/** The HTTP application of a standalone server: all functions over one state. */
export function composeApp({ config, settings, state, log, metrics, recorder, upstreamChanges, keyOf, signingKey, sandbox }: AppParts) {
  const { builds, positions, artifacts, now, monotonic } = state;
  const ages = { recordMaxAgeMs: config.CATALOGUE_REFRESH * 1000, listMaxAgeMs: Math.min(300, config.CATALOGUE_REFRESH) * 1000 };
  const catalogues = new Map<string | undefined, UpstreamCatalogue>();
  const catalogueAt = (upstream: Pick<UpstreamCatalogueOptions, 'baseUrl' | 'distro'>) => {
    const made = measuredCatalogue({ ...upstream, ...ages, records: state.records, now }, config, { log, metrics });
    catalogues.set(upstream.distro?.name, made);
    return made;
  };
  const catalogue = catalogueAt({ baseUrl: config.UPSTREAM_URL });
  const others = otherDistros(config.DISTROS, (distro) => catalogueAt({ baseUrl: distro.upstreamUrl, distro }));
  upstreamChanges.listen(({ versionPath, request }) =>
    (catalogues.get(request.distro) ?? catalogue).noteChange(versionPath, request.target),
  );
  const status = {
    ...{ builds, positions, artifacts, now, timeOf: timeOfBuilds(now, monotonic) },
    results: boundedMap<string>(REMEMBERED_RESULTS_BYTES, (text) => text.length * 2),
    estimate: estimateSeconds(state.pace, config.WORKER_CONCURRENT),
    rebuildPauseSeconds: settings.rebuildPauseSeconds,
  };
  const { policy, parseRequest, maxBodyBytes } = settings;
  const prepare = { catalogue, others, policy, parseRequest, maxBodyBytes, memory: preparationMemory() };
  const offer = {
    ...{ catalogue, now, upstreamUrl: config.UPSTREAM_URL },
    branches: () => policy.branches,
    serverFacts: settings.serverFacts,
  };
  const checks = {
    database: state.checkDatabase,
    state: () => assertWritable(dirname(config.databasePath)),
    images: () => assertWritable(config.artifactDir),
    builds: () => assertWritable(config.workDir),
    imagebuilders: () => assertWritable(config.cacheDir),
    upstream: () => catalogue.versions(),
  };
  return httpApp(
    { log, onAnswered: metrics.onAnswered },
    metricsRoutes(metrics),
    healthRoutes({
      ...{ service: 'standalone', version: VERSION, now },
      checks: withoutDetails(checks, log),
      sources: withoutDetails({ upstream: catalogue.assertReachable }, log),
      facts: () => ({ sandbox }),
    }),
    statusApp(status),
    buildSubmitApp({
      ...prepare,
      ...status,
      ...askPrepare(config, log),
      ...observeRequests({ log, metrics }, recorder),
      queue: state.queue,
      maxPendingBuilds: settings.maxPendingBuilds,
      refusesImpossible: settings.refusesImpossible,
      clientShare: { clientBuilds: state.clientBuilds, maxPendingPerClient: settings.maxPendingPerClient },
      clientKey: (c) => keyOf(addressOf(c, settings.clientAddress)),
      inTurn: inTurn(),
      isWhole: resultIntegrity({ artifacts, monotonic }),
      admit: settings.admit,
    }),
    prepareApp(prepare),
    storeApp({ artifacts, signingKey, findImage: imageFinder(status) }),
    catalogueApp({ ...offer, others }),
    statsApp({ ...offer, report: state.statistics, positions }),
    docsApp({ readAsset: swaggerAssets() }),
  );
}
