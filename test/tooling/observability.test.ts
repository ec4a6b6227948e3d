import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { TOPOLOGY } from '#services/topology.ts';
import { type Family, familiesIn, namesIn, type Sample } from '#test/support/promql.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import dashboard from '../../deploy/grafana/dashboard.json' with { type: 'json' };

/** Compares dashboard, alerts and documentation with the metrics of a running server. */
let server: TestServer;
let families: Family[];
let samples: Sample[];
beforeAll(async () => {
  server = await startTestServer();
  await server.build({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] });
  await server.post('/api/v1/prepare', { version: '24.10.2', target: 'x86/64', profile: 'generic' });
  // The answer comes before the runner has logged the end.
  await vi.waitFor(async () => {
    families = familiesIn(await (await server.get('/metrics')).text());
    expect(families.find(({ name }) => name === 'asu_build_step_duration_seconds')?.samples).not.toEqual([]);
  });
  samples = families.flatMap((family) => family.samples);
});
afterAll(() => server.close());

const ROOT = new URL('../../', import.meta.url);
const file = (path: string) => readFile(new URL(path, ROOT), 'utf8');

/** The labels and metrics that Prometheus itself adds. */
const TARGET_LABELS = ['job', 'instance'];
const OF_PROMETHEUS = ['up'];
/** The labels that may have any value, because clients or circumstances set them. */
const OPEN_LABELS = ['status_code'];

/** The names in an expression that do not exist. */
function unknownIn(expression: string): string[] {
  const { selectors, grouped } = namesIn(expression);
  const unknown: string[] = [];
  const labels = new Set(TARGET_LABELS);
  for (const { metric, matchers } of selectors) {
    const found = samples.filter(({ name }) => name === metric);
    if (found.length === 0 && !OF_PROMETHEUS.includes(metric)) unknown.push(metric);
    for (const sample of found) for (const label of Object.keys(sample.labels)) labels.add(label);
    for (const { label, op, value } of matchers) {
      if (TARGET_LABELS.includes(label)) continue;
      if (!found.some((sample) => label in sample.labels)) {
        unknown.push(`${metric}{${label}}`);
        continue;
      }
      if (OPEN_LABELS.includes(label) || op.startsWith('!') || value.startsWith('$')) continue;
      for (const one of op === '=~' ? value.split('|') : [value])
        if (!found.some((sample) => sample.labels[label] === one)) unknown.push(`${metric}{${label}="${one}"}`);
    }
  }
  if (selectors.length === 0) unknown.push(`no metric in ${expression}`);
  return [...unknown, ...grouped.filter((label) => !labels.has(label))];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}
const rules = async (): Promise<Rule[]> =>
  parse(await file('deploy/prometheus/alerts.yaml')).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const panelExpressions = () =>
  dashboard.panels.flatMap((panel) => ('targets' in panel ? (panel.targets ?? []).map(({ expr }) => expr) : []));

describe('names in expressions', () => {
  it('are found', () => {
    expect(namesIn('sum by (le, a) (rate(x_bucket{b=~"c|d",e!="}"}[$__rate_interval])) / on (f) count(y) > 1e3 and z offset 5m')).toEqual({
      selectors: [
        {
          metric: 'x_bucket',
          matchers: [
            { label: 'b', op: '=~', value: 'c|d' },
            { label: 'e', op: '!=', value: '}' },
          ],
        },
        { metric: 'y', matchers: [] },
        { metric: 'z', matchers: [] },
      ],
      grouped: ['le', 'a', 'f'],
    });
  });

  it.each([
    'asu_no_such_total',
    'sum by (no_such_label) (asu_builds_total)',
    'asu_builds_total{no_such_label="done"}',
    'asu_builds_total{outcome="no such outcome"}',
    'http_requests_total{endpoint=~"/api/v1/build|/no/such"}',
    'asu_build_wait_seconds > 1',
  ])('that there are not are noticed: %s', (expression) => {
    expect(unknownIn(expression)).toHaveLength(1);
  });
});

describe('the alerts', () => {
  it('use existing metrics, labels and values', async () => {
    for (const { alert, expr } of await rules()) expect([alert, unknownIn(expr)]).toEqual([alert, []]);
  });

  it('have unique names, a severity, and texts that use only their own labels', async () => {
    const all = await rules();
    expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
    for (const { alert, expr, labels, annotations } of all) {
      expect(labels.severity).toMatch(/^(warning|critical)$/);
      const grouped = namesIn(expr).grouped;
      for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g))
        expect([alert, grouped.length > 0 ? grouped : TARGET_LABELS]).toEqual([alert, expect.arrayContaining([label])]);
    }
  });

  it('are each explained', async () => {
    const docs = await file('docs/observability.md');
    for (const { alert } of await rules()) expect(docs).toContain(`| \`${alert}\` |`);
  });
});

describe('the dashboard', () => {
  it('shows existing metrics, labels and values', () => {
    for (const expression of panelExpressions()) expect([expression, unknownIn(expression)]).toEqual([expression, []]);
  });

  it('offers services by an existing label', () => {
    const queries = dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? '' : query.query)).filter(Boolean);
    for (const query of queries) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      expect([query, samples.some((sample) => sample.name === metric && label in sample.labels)]).toEqual([query, true]);
    }
    expect(queries).toHaveLength(1);
  });

  it('shows every metric of the server', () => {
    const shown = panelExpressions().flatMap((expression) => namesIn(expression).selectors.map(({ metric }) => metric));
    const own = families.filter(({ name }) => /^(asu|http)_/.test(name));
    const missing = own.filter(
      ({ name }) => !shown.some((metric) => metric.replace(/_(bucket|sum|count)$/, '') === name || metric === name),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
    expect(own.length).toBeGreaterThan(10);
  });

  it('has panels with unique places and ids', () => {
    const places = dashboard.panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`);
    expect(new Set(places).size).toBe(places.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('the scrape configuration', () => {
  it('finds the rules, and every service by its port', async () => {
    const text = await file('deploy/prometheus/prometheus.yaml');
    const config = parse(text);
    for (const rulesFile of config.rule_files) await file(`deploy/prometheus/${rulesFile}`);
    expect(config.scrape_configs.map(({ job_name }: { job_name: string }) => job_name)).toEqual(['asu']);
    const ports = [...text.matchAll(/^ +# +- '127\.0\.0\.1:(\d+)'$/gm)].map(([, port]) => Number(port));
    expect(ports.sort()).toEqual(TOPOLOGY.map(({ port }) => port).sort());
  });
});

describe('docs/observability.md', () => {
  it('lists every metric of our own as the server describes it', async () => {
    const docs = await file('docs/observability.md');
    const [, table = ''] = /<!-- metrics.*?-->\n([\s\S]*?)<!-- \/metrics -->/.exec(docs) ?? [];
    const rows = families
      .filter(({ name }) => /^(asu|http)_/.test(name))
      .map(({ name, type, help, samples: [first] }) => {
        const labels = Object.keys(first?.labels ?? {}).filter((label) => label !== 'le');
        return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
      });
    expect(table.trim().split('\n').slice(2)).toEqual(rows);
  });

  it('lists lines of the log at the level at which they are written', async () => {
    const [, table = ''] = /<!-- log.*?-->\n([\s\S]*?)<!-- \/log -->/.exec(await file('docs/observability.md')) ?? [];
    const rows = table.trim().split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(10);
    let source = '';
    for await (const path of glob('{http,observe,standalone,runner,functions,services}/**/*.ts', { cwd: fileURLToPath(ROOT) }))
      source += await file(path);
    for (const row of rows) {
      const [, levels = '', message = ''] = /^\| ([a-z, ]+) \| `([^`]+)` \|/.exec(row) ?? [];
      for (const level of levels.split(', ')) expect([row, source.includes(`log.${level}('${message}'`)]).toEqual([row, true]);
    }
  });
});
