import type * as z from 'zod';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { requestDeps } from '#http/request-deps.ts';
import type { Composition, CompositionParts } from '../composition.ts';
import { measuredCatalogue } from '../measured-catalogue.ts';
import { prepareApp } from './app.ts';
import type { Config } from './config.ts';

/** The prepare function. It has no state: the process keeps its records of the catalogue in memory. */
export function composePrepare(config: z.output<typeof Config>, parts: CompositionParts): Composition {
  const catalogue = measuredCatalogue(
    { baseUrl: config.CATALOGUE_URL, records: memoryRecordStore(), now: () => new Date() },
    config,
    parts,
  );
  return {
    routes: [prepareApp({ catalogue, ...requestDeps(config) })],
    checks: {},
    readyChecks: { catalogue: () => catalogue.versions() },
    sources: { catalogue: catalogue.assertReachable },
  };
}
