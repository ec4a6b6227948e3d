import { html } from 'hono/html';
import { type BuildError, type Figures, type Ranked, requestsOf, type SubjectCount, sumOf } from '#core/statistics/counts.ts';
import { type Chart, plainTime } from '#core/statistics/published-statistics.ts';
import { figureList, grouped, type Markup, pageOf, table } from './page.ts';

export interface StatsPage {
  readonly serverVersion: string;
  readonly waiting: number;
  readonly running: number;
  readonly buildsOfLastDay: number;
  /** The days, oldest first. */
  readonly days: readonly (Figures & { day: string })[];
  readonly versions: Chart;
  readonly packages: readonly Ranked[];
  readonly targets: readonly Ranked[];
  readonly clients: readonly Ranked[];
  /** The packages, most requested first. */
  readonly subjects: readonly SubjectCount[];
  /** The failures, newest first. */
  readonly errors: readonly BuildError[];
}

/** Returns the page at `/stats`: the figures of the last thirty days as tables. */
export function statsPage(page: StatsPage): Promise<string> {
  const { days, versions } = page;
  const all = sumOf(days);
  const span = `in ${days.length} days`;
  return pageOf(
    {
      path: '/stats',
      title: 'Statistics – OpenWrt image server',
      description: `What this server was asked for and what it built, by day (UTC), ${span}. Nobody’s address or script is recorded.`,
      serverVersion: page.serverVersion,
    },
    html`<section aria-labelledby="sum"><h2 id="sum">At a glance</h2>
${figureList([
  ['builds waiting', grouped(page.waiting)],
  ['being built', grouped(page.running)],
  ['built in 24 hours', grouped(page.buildsOfLastDay)],
  [`requests ${span}`, grouped(requestsOf(all))],
  ['answered from the cache', share(all.hits, requestsOf(all))],
  ['builds that succeeded', share(all.successes, all.successes + all.failures)],
  ['average build', all.successes > 0 ? duration(all.buildMilliseconds / all.successes) : '–'],
])}
</section>
<section aria-labelledby="days"><h2 id="days">By day</h2>
${table({
  caption: 'Requests and what became of them, newest day first',
  head: ['Day', 'Requests', 'Cache hits', 'Joined a build', 'New builds', 'Refused', 'Succeeded', 'Failed', 'Cancelled'],
  rows: days.toReversed().map((f) => [f.day, requestsOf(f), f.hits, f.joined, f.misses, f.rejected, f.successes, f.failures, f.cancelled]),
  empty: 'Nothing has been counted yet.',
})}
</section>
<section aria-labelledby="versions"><h2 id="versions">Builds by series</h2>
${table({
  caption: 'Successful builds, by week (its first day), newest first',
  head: ['Week', ...versions.datasets.map(({ label }) => label)],
  rows: weeksOf(versions),
  empty: 'Nothing has been built yet.',
})}
</section>
<div class="columns">
${ranking('packages', 'Packages', `Asked for beyond what a profile has anyway, ${span}`, 'Package', 'Builds', page.packages)}
${ranking('targets', 'Targets', `Successful builds, ${span}`, 'Target', 'Builds', page.targets)}
${ranking('clients', 'Clients', `Requests, ${span}`, 'Client', 'Requests', page.clients)}
</div>
<section aria-labelledby="images"><h2 id="images">Images</h2>
${table({
  caption: `Accepted requests by version, target and profile, ${span}`,
  head: ['Version', 'Target', 'Profile', 'Requests', 'Cache hits', 'Failed builds'],
  rows: page.subjects.map(({ version, target, profile, requests, hits, failures }) => [version, target, profile, requests, hits, failures]),
  empty: 'None yet.',
})}
</section>
<section aria-labelledby="errors"><h2 id="errors">Recent build errors</h2>
${table({
  caption: 'Newest first; job ids, addresses and paths are left out',
  head: ['Time', 'Build', 'What failed'],
  rows: page.errors.map(({ at, version, target, profile, message }) => [plainTime(at), `${version} ${target} ${profile}`, message]),
  empty: 'No build errors recorded.',
})}
<p><a href="/api/v1/build-errors">More, as plain text</a></p>
</section>
<section aria-labelledby="json"><h2 id="json">The same as JSON</h2>
<ul class="links">
<li><a href="/api/v1/stats/summary">summary</a></li>
<li><a href="/api/v1/builds-per-day">builds per day</a></li>
<li><a href="/api/v1/builds-by-version">builds by version</a></li>
<li><a href="/api/v1/top-packages">top packages</a></li>
</ul>
</section>`,
  );
}

/** Returns the weeks, newest first, back to the first with a build. */
function weeksOf({ labels, datasets }: Chart): (string | number)[][] {
  const rows = labels.map((label, i) => [label.slice(0, 10), ...datasets.map(({ data }) => data[i] ?? 0)]);
  const first = rows.findIndex((row) => row.some((cell) => typeof cell === 'number' && cell > 0));
  return first === -1 ? [] : rows.slice(first).toReversed();
}

function ranking(id: string, title: string, caption: string, what: string, count: string, ranked: readonly Ranked[]): Markup {
  const rows = ranked.map((entry) => [entry.name, entry.count]);
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${table({ caption, head: [what, count], rows, empty: 'None yet.' })}
</section>`;
}

const share = (part: number, whole: number): string => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : '–');

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
