import { html } from 'hono/html';
import type { PublishedBranch, ServerFacts } from '#core/catalogue/overview.ts';
import { figureList, grouped, pageOf, table } from './page.ts';

export interface OverviewPage {
  readonly facts: ServerFacts;
  readonly upstreamUrl: string;
  readonly latest: readonly string[];
  readonly branches: readonly PublishedBranch[];
  readonly waiting: number;
  readonly running: number;
  readonly buildsOfLastDay: number;
}

/** Returns the page at `/`: the versions that this server builds, the requests that it allows, and its load. */
export function overviewPage({ facts, upstreamUrl, latest, branches, waiting, running, buildsOfLastDay }: OverviewPage): Promise<string> {
  const offered = branches.filter(({ enabled, targets }) => enabled && Object.keys(targets).length > 0);
  return pageOf(
    {
      path: '/',
      title: 'OpenWrt image server',
      description:
        'Builds OpenWrt firmware images with the packages that are asked for, for attended sysupgrade, LuCI, owut, auc and the firmware selector.',
      serverVersion: facts.version,
    },
    html`<section aria-labelledby="now"><h2 id="now">Now</h2>
${figureList([
  ['builds waiting', grouped(waiting)],
  ['being built', grouped(running)],
  ['built in 24 hours', grouped(buildsOfLastDay)],
  ['latest version', latest[0] ?? '–'],
])}
</section>
<section aria-labelledby="versions"><h2 id="versions">Versions</h2>
${table({
  caption: 'Versions that can be built, newest first',
  head: ['Series', 'Targets', 'Versions'],
  rows: offered.map(({ name, versions, targets }) => [name, Object.keys(targets).length, versions.join(', ')]),
  empty: 'No versions are known at the moment.',
})}
<p class="soft">From <a href="${safeLink(upstreamUrl)}">${upstreamUrl}</a></p>
</section>
<section aria-labelledby="limits"><h2 id="limits">Limits</h2>
${table({
  caption: 'What a request may ask for',
  head: ['Setting', 'Value'],
  rows: [
    ['First-boot script (defaults)', facts.allow_defaults ? `yes, up to ${grouped(facts.max_defaults_length)} characters` : 'no'],
    ['Root file system', `up to ${grouped(facts.max_custom_rootfs_size_mb)} MB`],
    ['Package repositories', facts.repository_allow_list.length > 0 ? facts.repository_allow_list.join(', ') : 'OpenWrt’s own only'],
  ],
  empty: '',
})}
</section>
<section aria-labelledby="use"><h2 id="use">Use it</h2>
<p>On a router: set <code>attendedsysupgrade.server.url</code> to this server’s address with <code>uci</code>, then run <code>owut</code>, <code>auc</code> or LuCI’s attended sysupgrade.</p>
<ul class="links">
<li><a href="/api/v1/docs">API documentation</a>, <a href="/api/v1/openapi.json">OpenAPI</a></li>
<li><a href="/json/v1/overview.json">overview.json</a>, <a href="/json/v1/branches.json">branches.json</a>, <a href="/json/v1/latest.json">latest.json</a></li>
<li><a href="/stats">Statistics</a>, <a href="/api/v1/build-errors">recent build errors</a></li>
</ul>
${facts.contact === '' ? '' : html`<p>Contact: ${facts.contact}</p>`}
</section>`,
  );
}

/** Returns a link to the contact. The operator sets it, and still only web addresses become links. */
const safeLink = (url: string): string => (/^https?:\/\//.test(url) ? url : '#');
