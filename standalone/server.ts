import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { assertWritable } from '#adapters/disk/assert-writable.ts';
import { httpPrepareService } from '#adapters/prepare-service/prepare-service.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { sqliteClientBuilds } from '#adapters/sqlite/client-builds.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { sqliteWriteCheck } from '#adapters/sqlite/write-check.ts';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { buildPace } from '#core/build/build-pace.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import { rememberDoneBuilds } from '#core/build/remember-done-builds.ts';
import { resultIntegrity } from '#core/build/result-integrity.ts';
import type { RunEvent } from '#core/build/run-event.ts';
import { sightings } from '#core/build/sightings.ts';
import { recoverAllBuilds } from '#core/build/sweep.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { preparationMemory } from '#core/request/preparation-memory.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { buildSubmitApp } from '#functions/build-submit/app.ts';
import { catalogueApp } from '#functions/catalogue/app.ts';
import { docsApp } from '#functions/docs/app.ts';
import { swaggerAssets } from '#functions/docs/swagger-assets.ts';
import { logSwept } from '#functions/maintenance/log-maintenance.ts';
import { maintain } from '#functions/maintenance/maintain.ts';
import { prepareApp } from '#functions/prepare/app.ts';
import { statsApp } from '#functions/stats/app.ts';
import { statusApp } from '#functions/status/app.ts';
import { storeApp } from '#functions/store/app.ts';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { metricsRoutes } from '#http/metrics-routes.ts';
import { addressOf, clientKeys } from '#http/rate-limit/client-keys.ts';
import { serveNode } from '#http/serve-node.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { inTurn } from '#lib/in-turn.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import type { Log } from '#observe/log.ts';
import { logRunEvent } from '#observe/log-run-event.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { work } from '#runner/work.ts';
import { VERSION } from '#settings/version.ts';
import { clientSecret } from './client-secret.ts';
import type { StandaloneConfig } from './config.ts';
import type { Leftovers } from './leftovers.ts';
import { liveSettings } from './live-settings.ts';
import { removeUnreferenced } from './remove-unreferenced.ts';

export interface Standalone {
  readonly url: string;
  /** Puts those settings into force that a running server can take (`reloads` in config/settings.ts), from the next request or build on. */
  reconfigure(config: StandaloneConfig): void;
  /** Stops taking requests and builds, hands builds under way back to the queue, closes everything. */
  close(): Promise<void>;
}

export interface StandaloneParts {
  readonly log: Log;
  readonly imageMaker: ImageMaker;
  /** Text of `/signing-key.pub`. */
  readonly signingKey?: string;
  /** Tells of what builds left that could not be removed. */
  readonly leftovers?: Leftovers;
  /** No other process works on this data directory: builds under way at the start are nobody's, and go on at once. */
  readonly isAlone?: boolean;
}

/** Results are small texts that never change under their `bin_dir`. */
const REMEMBERED_RESULTS_BYTES = 32 * 1024 * 1024;

/** So much of what was counted in memory a `kill -9` can lose: counts of requests, never of builds. */
const FLUSH_STATISTICS_MS = 1_000;

/** Everything in one process: all functions, the runner and maintenance over SQLite and a directory. */
export async function startStandalone(
  config: StandaloneConfig,
  { log, imageMaker, signingKey, leftovers, isAlone = false }: StandaloneParts,
): Promise<Standalone> {
  const settings = liveSettings(config);
  await mkdir(config.dataDir, { recursive: true });
  const keyOf = clientKeys(await clientSecret(config.dataDir));
  const db = openSqlite(config.databasePath);
  const table = sqliteBuildTable(db);
  const builds = isAlone ? rememberDoneBuilds(table) : table;
  const queue = sqliteBuildQueue(db, { pollMs: config.WORKER_POLL_SECONDS * 1000 });
  const positions = sqliteQueuePositions(db);
  const records = sqliteRecordStore(db);
  const artifacts = diskArtifactStore(config.artifactDir);
  const now = () => new Date();
  const monotonic = () => performance.now();
  const statistics = sqliteStatistics(db);
  const branches = () => settings.policy.branches;
  const recorder = recordStatistics({
    statistics,
    branches,
    now,
    isCounting: config.SERVER_STATS,
    onError: (error) => log.warn('statistics could not be written', { error }),
  });
  const metrics = prometheusMetrics('standalone', positions);
  leftovers?.listen(metrics.onLeftover);
  const catalogue = upstreamCatalogue({
    fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
    baseUrl: config.UPSTREAM_URL,
    records,
    now,
    recordMaxAgeMs: config.CATALOGUE_REFRESH * 1000,
    listMaxAgeMs: Math.min(300, config.CATALOGUE_REFRESH) * 1000,
    onError: (what, error) => log.warn('upstream could not be read', { what, error }),
  });
  const pace = buildPace(records, monotonic);
  const estimate = (ahead: number) => pace.secondsPerBuild() * (1 + Math.floor(ahead / Math.max(1, config.WORKER_CONCURRENT)));
  const results = boundedMap<string>(REMEMBERED_RESULTS_BYTES, (text) => text.length * 2);

  const { rebuildPauseSeconds } = settings;
  const status = { builds, positions, artifacts, now, timeOf: timeOfBuilds(now, monotonic), results, estimate, rebuildPauseSeconds };
  const { policy, timesToLive, parseRequest } = settings;
  const prepare = { catalogue, policy, parseRequest, maxBodyBytes: settings.maxBodyBytes, memory: preparationMemory() };
  const offer = {
    catalogue,
    now,
    upstreamUrl: config.UPSTREAM_URL,
    branches,
    serverFacts: settings.serverFacts,
  };
  const app = httpApp(
    { log, onAnswered: metrics.onAnswered },
    metricsRoutes(metrics),
    healthRoutes({
      service: 'standalone',
      version: VERSION,
      now,
      checks: {
        database: sqliteWriteCheck(db),
        state: () => assertWritable(dirname(config.databasePath)),
        images: () => assertWritable(config.artifactDir),
        builds: () => assertWritable(config.workDir),
        imagebuilders: () => assertWritable(config.cacheDir),
        upstream: () => catalogue.versions(),
      },
    }),
    statusApp(status),
    buildSubmitApp({
      ...prepare,
      ...status,
      queue,
      ...(config.PREPARE_SERVICE_URL !== undefined && {
        askPrepare: httpPrepareService({
          url: config.PREPARE_SERVICE_URL,
          onError: (error) => log.warn('prepare service not used: packages resolved here', { error }),
        }),
      }),
      maxPendingBuilds: settings.maxPendingBuilds,
      clientShare: { clientBuilds: sqliteClientBuilds(db), maxPendingPerClient: settings.maxPendingPerClient },
      clientKey: (c) => keyOf(addressOf(c, settings.clientAddress)),
      inTurn: inTurn(),
      isWhole: resultIntegrity({ artifacts, monotonic }),
      admit: settings.admit,
      onSubmitted: (submitted, client) => {
        metrics.onRequest(submitted.outcome);
        recorder.onSubmitted(submitted, client);
      },
      onRejected: (...rejected) => {
        metrics.onRequest('rejected');
        recorder.onRejected(...rejected);
      },
      onSendFailure: (error, build) => log.error('message could not be sent', { error, ...buildLogFields(build) }),
    }),
    prepareApp(prepare),
    storeApp({ artifacts, signingKey }),
    catalogueApp(offer),
    statsApp({ ...offer, report: statistics, positions }),
    docsApp({ readAsset: swaggerAssets() }),
  );

  const onEvent = (event: RunEvent) => {
    logRunEvent(log, event);
    metrics.onRunEvent(event);
    recorder.onRunEvent(event);
    if (event.type === 'done') pace.record(event.seconds).catch((error) => log.warn('build pace could not be recorded', { error }));
  };
  const stop = new AbortController();
  const every = (ms: number, call: () => void) => {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  };
  const shared = { builds, queue, artifacts, now, monotonic, timesToLive };
  const onError = (error: unknown) => log.error('state could not be used', { error });
  const server = await serveNode(app, { host: config.HOST, port: config.PORT });
  const sweeping = {
    sweep: sqliteBuildSweep(db, monotonic),
    sightings: sightings(monotonic),
    newSweepId: randomUUID,
    longestPauseSeconds: Math.max(0, ...config.RETRY_DELAYS),
  };
  if (isAlone) {
    const recovered = await recoverAllBuilds({ ...shared, ...sweeping });
    if (recovered > 0) log.info('builds of an earlier run returned to the queue', { builds: recovered });
  }
  const background = [
    work(
      {
        ...shared,
        leaseSeconds: config.LEASE,
        retryDelaysSeconds: config.RETRY_DELAYS,
        uploadSeconds: config.UPLOAD_TIMEOUT,
        imageMaker,
        newAttemptId: randomUUID,
        every,
        onEvent,
        onSlots: metrics.onSlots,
        onError,
      },
      config.WORKER_CONCURRENT,
      stop.signal,
    ),
    maintain(
      {
        ...shared,
        ...sweeping,
        onSwept: (swept) => {
          logSwept(log, swept);
          reconcileBuilds({ statistics, builds, branches, now }).catch(onError);
        },
        onError,
      },
      stop.signal,
      config.SWEEP_EVERY * 1000,
    ),
    removeUnreferenced(
      {
        ...shared,
        directory: config.artifactDir,
        onRemoved: (count) => log.warn('artefacts removed that nobody referred to', { count }),
        onError: (error) => log.error('old artefacts could not be removed', { error }),
      },
      stop.signal,
    ),
  ];
  const stopFlushing = every(FLUSH_STATISTICS_MS, () => void recorder.flush());
  return {
    url: server.url,
    reconfigure: settings.replace,
    close: async () => {
      stop.abort();
      await Promise.all([server.close(), ...background]);
      stopFlushing();
      await recorder.flush();
      db.close();
    },
  };
}
