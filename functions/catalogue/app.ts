import type { Branch } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import { readBranches, readLatest, readOverview, type ServerFacts } from '#core/catalogue/overview.ts';
import { targetIndexDocument } from '#core/catalogue/package-index.ts';
import { profileDocument } from '#core/catalogue/profile-document.ts';
import { readRevision } from '#core/catalogue/revision.ts';
import { versionAt } from '#core/catalogue/versions.ts';
import type { OtherDistros } from '#core/request/distro-offer.ts';
import { cachedJson } from '#http/cached-json.ts';
import { problem } from '#http/error-response.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { jsonResponse } from '#http/json-response.ts';
import { redirect } from '#http/redirect.ts';
import type { NamedDistro } from '../other-distros.ts';

export interface CatalogueAppDeps {
  readonly catalogue: Catalogue;
  readonly upstreamUrl: string;
  readonly branches: () => readonly Branch[];
  readonly serverFacts: () => ServerFacts;
  /** The distributions besides the default one. */
  readonly others?: OtherDistros<NamedDistro>;
}

/** How long a document made from the catalogue is answered before it is made again. The catalogue has caches of its own. */
const DOCUMENT_MAX_AGE_MS = 5_000;

/** The paths below `/json/v1/{path}`: files of a target, and the index of an architecture. */
const TARGET_INDEX = /^(.+)\/targets\/([A-Za-z0-9_]+\/[A-Za-z0-9_]+)\/index\.json$/;
const ARCH_INDEX = /^(.+)\/packages\/([A-Za-z0-9_.+-]+)-index\.json$/;
const PROFILE = /^(.+)\/targets\/([A-Za-z0-9_]+\/[A-Za-z0-9_]+)\/([A-Za-z0-9][A-Za-z0-9._-]*)\.json$/;

/** A path below `/json/v1/` that names another distribution, and the path inside it. */
const OF_DISTRO = /^distros\/([^/]+)\/(.+)$/;

const notFound = () => problem({ status: 404, title: 'Not Found', detail: 'Not Found: no such version, target, architecture or profile' });

/**
 * Answers what clients ask about versions, targets, profiles and packages: `/json/v1/**`, overview, latest, revision.
 * Other distributions have the same documents below `/json/v1/distros/{distro}/`.
 */
export function catalogueApp(deps: CatalogueAppDeps): Routes {
  const { catalogue } = deps;
  const standard = documentsOf(deps);
  const others = new Map(
    [...(deps.others ?? [])].map(([name, { branches, ...offer }]) => [
      name,
      documentsOf({ ...offer, branches: () => branches, serverFacts: deps.serverFacts }),
    ]),
  );

  const app = routes()
    .get('/json/v1/latest.json', standard.latest)
    .get('/json/v1/branches.json', standard.branches)
    .get('/api/v1/latest', () => redirect(301, '/json/v1/latest.json'))
    .get('/api/v1/revision/:version/:target/:subtarget', async (c) => {
      const { version, target, subtarget } = c.req.param();
      const known = await readRevision({ catalogue, branches: deps.branches() }, version, `${target}/${subtarget}`);
      return jsonResponse(200, JSON.stringify(known), { 'Cache-Control': 'public, max-age=60' });
    });
  for (const path of ['/json/v1/overview.json', '/api/v1/overview', '/api/overview', '/overview']) app.get(path, standard.overview);
  app.get('/json/v1/*', async (c) => {
    const rest = c.req.path.slice('/json/v1/'.length);
    if (rest.endsWith('.json/')) return redirect(307, c.req.path.slice(0, -1) + new URL(c.req.url).search);
    const [, distro = '', inside = ''] = OF_DISTRO.exec(rest) ?? [];
    const documents = others.get(distro);
    if (documents === undefined) return standard.ofVersion(rest);
    if (inside === 'overview.json') return documents.overview();
    if (inside === 'branches.json') return documents.branches();
    if (inside === 'latest.json') return documents.latest();
    return documents.ofVersion(inside);
  });
  return app;
}

/** Returns the documents of one distribution. `ofVersion` answers those of a target or an architecture, by their path. */
function documentsOf(deps: Omit<CatalogueAppDeps, 'others'>) {
  const { catalogue } = deps;
  const cached = (make: () => Promise<unknown>) => cachedJson(make, DOCUMENT_MAX_AGE_MS);
  const latestJson = cached(() => readLatest({ catalogue, branches: deps.branches() }));
  const branchesJson = cached(() => readBranches({ catalogue, branches: deps.branches() }));
  const overviewJson = cached(() => readOverview({ catalogue, branches: deps.branches() }, deps.upstreamUrl, deps.serverFacts()));

  /** The version whose files are at the path. Upstream is never asked for paths that belong to no known version. */
  const versionOf = async (path: string): Promise<string | undefined> => versionAt(path, await catalogue.versions(), deps.branches());

  const targetRecord = async (path: string, target: string) => {
    const version = await versionOf(path);
    if (version === undefined) return undefined;
    const targets = await catalogue.targets(path);
    const isListed = targets === undefined || Object.hasOwn(targets, target);
    return isListed ? catalogue.target(version, path, target) : undefined;
  };

  const targetIndex = async (path: string, target: string): Promise<Response> => {
    const record = await targetRecord(path, target);
    return record === undefined ? notFound() : document(path, targetIndexDocument(await catalogue.packages(record)));
  };

  const archIndex = async (path: string, arch: string): Promise<Response> => {
    if ((await versionOf(path)) === undefined) return notFound();
    return (await catalogue.hasArch(path, arch)) ? document(path, await catalogue.feeds(path, arch)) : notFound();
  };

  const profile = async (path: string, target: string, name: string): Promise<Response> => {
    const record = await targetRecord(path, target);
    return record === undefined ? notFound() : document(path, profileDocument(record, name));
  };

  return {
    latest: async () => published(await latestJson()),
    branches: async () => published(await branchesJson()),
    overview: async () => published(await overviewJson()),
    // The reference server has this order, in which `…/targets/x/y/foo-index.json` is no profile.
    ofVersion: async (rest: string): Promise<Response> => {
      const [, indexPath, indexTarget] = TARGET_INDEX.exec(rest) ?? [];
      if (indexPath && indexTarget) return targetIndex(indexPath, indexTarget);
      const [, archPath, arch] = ARCH_INDEX.exec(rest) ?? [];
      if (archPath && arch) return archIndex(archPath, arch);
      const [, profilePath, target, name] = PROFILE.exec(rest) ?? [];
      if (profilePath && target && name) return profile(profilePath, target, name);
      return notFound();
    },
  };
}

const published = (json: string) => jsonResponse(200, json, { 'Cache-Control': 'public, max-age=60' });

/** A document about one version. Snapshots change, so caches keep those for less time. */
const document = (path: string, value: unknown) =>
  jsonResponse(200, JSON.stringify(value), { 'Cache-Control': `public, s-maxage=${/snapshot/i.test(path) ? 60 : 300}` });
