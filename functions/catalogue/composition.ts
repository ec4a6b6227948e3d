import type { S3Client } from '@aws-sdk/client-s3';
import { assertBucketReady } from '#adapters/aws/readiness.ts';
import type { DistroConfig } from '#settings/distro-settings.ts';
import { type OfferConfig, serverFacts } from '#settings/server-facts.ts';
import { VERSION } from '#settings/version.ts';
import type { Composition, CompositionParts } from '../composition.ts';
import { otherDistros } from '../other-distros.ts';
import { type SharedCatalogueConfig, sharedCatalogue } from '../shared-catalogue.ts';
import { catalogueApp } from './app.ts';

/** The catalogue function: versions, targets, profiles and packages. */
export function composeCatalogue(
  config: SharedCatalogueConfig & OfferConfig & DistroConfig,
  clients: { readonly s3: S3Client },
  parts: CompositionParts,
): Composition {
  const catalogue = sharedCatalogue(config, clients, parts);
  const facts = serverFacts(config, VERSION);
  return {
    routes: [
      catalogueApp({
        catalogue,
        upstreamUrl: config.UPSTREAM_URL,
        branches: () => config.BRANCHES,
        serverFacts: () => facts,
        others: otherDistros(config.DISTROS, (distro) => sharedCatalogue(config, clients, parts, distro)),
      }),
    ],
    checks: { bucket: () => assertBucketReady(clients.s3, config.ARTIFACT_BUCKET) },
    readyChecks: { upstream: () => catalogue.versions() },
    sources: { upstream: catalogue.assertReachable },
  };
}
