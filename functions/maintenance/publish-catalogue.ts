import type { OverviewDeps, ServerFacts } from '#core/catalogue/overview.ts';
import { readBranches, readLatest, readOverview } from '#core/catalogue/overview.ts';
import type { ArtifactStore } from '#core/stores.ts';

export interface PublishCatalogueDeps extends OverviewDeps {
  readonly artifacts: ArtifactStore;
  readonly upstreamUrl: string;
  readonly serverFacts: ServerFacts;
}

/** The headers are those of the catalogue function, since both may be behind one URL. */
const META = { contentType: 'application/json', cacheControl: 'public, max-age=60' };

/**
 * Reads the catalogue, which refreshes what is due, and puts overview, branches and latest into the store under their
 * URL paths, unless they are the same there. Idempotent: when two run at once, each writes what it read, and the next
 * run corrects it. Returns the keys that it wrote.
 */
export async function publishCatalogue(deps: PublishCatalogueDeps): Promise<string[]> {
  const documents = {
    'json/v1/overview.json': await readOverview(deps, deps.upstreamUrl, deps.serverFacts),
    'json/v1/branches.json': await readBranches(deps),
    'json/v1/latest.json': await readLatest(deps),
  };
  const written: string[] = [];
  for (const [key, document] of Object.entries(documents)) {
    const text = JSON.stringify(document);
    if ((await deps.artifacts.read(key)) === text) continue;
    await deps.artifacts.put(key, text, META);
    written.push(key);
  }
  return written;
}
