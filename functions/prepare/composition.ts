import type * as z from 'zod';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import type { UpstreamCatalogueOptions } from '#adapters/upstream/upstream-catalogue.ts';
import { requestDeps } from '#http/request-deps.ts';
import type { Composition, CompositionParts } from '../composition.ts';
import { measuredCatalogue } from '../measured-catalogue.ts';
import { otherDistros } from '../other-distros.ts';
import { prepareApp } from './app.ts';
import type { Config } from './config.ts';

/** The prepare function. It has no state: the process keeps its records of the catalogue in memory. */
export function composePrepare(config: z.output<typeof Config>, parts: CompositionParts): Composition {
  const catalogueAt = (upstream: Pick<UpstreamCatalogueOptions, 'baseUrl' | 'distro'>) =>
    measuredCatalogue({ ...upstream, records: memoryRecordStore(), now: () => new Date() }, config, parts);
  const catalogue = catalogueAt({ baseUrl: config.CATALOGUE_URL });
  const others = otherDistros(config.DISTROS, (distro) => catalogueAt({ baseUrl: distro.upstreamUrl, distro }));
  return {
    routes: [prepareApp({ catalogue, others, ...requestDeps(config) })],
    checks: {},
    readyChecks: { catalogue: () => catalogue.versions() },
    sources: { catalogue: catalogue.assertReachable },
  };
}
