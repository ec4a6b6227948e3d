import { access, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '#standalone/config.ts';
import { composeDocument } from './compose-document.ts';
import { loadConfig as gatewaySettings } from './gateway/config.ts';
import { GATEWAY_ROUTES, GATEWAY_SERVICES } from './gateway/routes.ts';
import { serviceEnvironment, TOPOLOGY } from './topology.ts';

const root = new URL('../', import.meta.url);
const textOf = (name: string) => readFile(new URL(name, root), 'utf8');

interface ComposeService {
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly image: string;
  readonly build?: { dockerfile: string; target: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: Readonly<Record<string, unknown>>;
  readonly restart: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly deploy: { resources: { limits: { cpus: string; memory: string } } };
}
const servicesOf = async (name: string) => Object.entries(parse(await textOf(name)).services as Record<string, ComposeService>);

it('compose.services.yaml agrees with the topology', async () => {
  expect(parse(await textOf('compose.services.yaml'))).toEqual(composeDocument());
});

it('only the gateway has a port of the host, and no service that scales has a fixed name', async () => {
  for (const [name, service] of await servicesOf('compose.services.yaml')) {
    expect([name, service.container_name]).toEqual([name, undefined]);
    expect([name, service.ports !== undefined]).toEqual([name, name === 'gateway']);
    expect([name, service.volumes]).toEqual([name, undefined]);
  }
  const scaling = TOPOLOGY.filter(({ scales }) => scales).map(({ name }) => name);
  expect(scaling).toEqual(expect.arrayContaining(['runner', 'prepare', 'build', 'status']));
});

describe.each(['compose.yaml', 'compose.services.yaml'])('%s', (file) => {
  it('limits the resources of every container and restarts it', async () => {
    for (const [name, { deploy, restart }] of await servicesOf(file)) {
      const { cpus, memory } = deploy.resources.limits;
      expect([name, cpus, memory]).toEqual([name, expect.stringMatching(/^\d+\.\d$/), expect.stringMatching(/^\d+[MG]$/)]);
      expect([name, restart]).toEqual([name, name === 'resources' ? 'on-failure' : 'unless-stopped']);
    }
  });

  it('checks the health of every lasting container', async () => {
    for (const [name, { healthcheck }] of await servicesOf(file))
      if (name !== 'resources')
        expect([name, healthcheck]).toEqual([
          name,
          { test: expect.arrayContaining(['CMD']), interval: '30s', timeout: '10s', start_period: '5s', retries: 3 },
        ]);
  });

  it('contains no secrets: they come from the environment, and only LocalStack’s have a default', async () => {
    for (const [name, { environment }] of await servicesOf(file))
      for (const [variable, value] of Object.entries(environment))
        if (/SECRET|PASSWORD|TOKEN|ACCESS_KEY/.test(variable))
          expect([name, variable, value]).toEqual([name, variable, expect.stringMatching(/^\$\{[A-Z_]+:-(test)?\}$/)]);
  });

  it('runs existing files', async () => {
    for (const [, { command, build }] of await servicesOf(file)) {
      if (build === undefined) continue;
      await access(new URL(build.dockerfile, root));
      await access(new URL(command?.[0] ?? '', root));
      expect(await textOf(build.dockerfile)).toMatch(new RegExp(`^FROM \\S+ AS ${build.target}$`, 'm'));
    }
  });
});

describe('services/Containerfile', () => {
  it('checks the health as often as the compose files', async () => {
    expect(await textOf('services/Containerfile')).toMatch(/^HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 /m);
  });

  it('has the build tools of the runner’s image', async () => {
    const packages = (text: string) => /^ARG PACKAGES="(.*)"$/m.exec(text)?.[1]?.split(' ');
    const ours = packages(await textOf('services/Containerfile'));
    expect(ours?.length).toBeGreaterThan(10);
    expect(ours).toEqual(packages(await textOf('runner/Containerfile')));
  });

  it('copies every folder that the services import from, and .dockerignore lets it through', async () => {
    const copied = [...(await textOf('services/Containerfile')).matchAll(/^COPY (([a-z-]+)[a-z/-]*) \.\/\1$/gm)].map(([, , name]) => name);
    const kept = (await textOf('.dockerignore')).split('\n').filter((line) => line.startsWith('!'));
    expect(copied.length).toBeGreaterThan(5);
    for (const name of copied) expect(kept).toContain(`!${name}`);
  });

  it('copies every file that its commands import', async () => {
    const copied = [...(await textOf('services/Containerfile')).matchAll(/^COPY ([a-z/-]+) \.\/\1$/gm)].map(([, name]) => `${name}/`);
    const imported = await importedFrom([
      'services/main.ts',
      'services/resources-main.ts',
      'services/check-health.ts',
      'standalone/main.ts',
    ]);
    expect(imported.length).toBeGreaterThan(100);
    expect(imported.filter((path) => path !== 'package.json' && !copied.some((folder) => path.startsWith(folder)))).toEqual([]);
  });
});

describe('the topology', () => {
  it('gives every service a different port', () => {
    expect(new Set(TOPOLOGY.map(({ port }) => port)).size).toBe(TOPOLOGY.length);
  });

  it('gives the gateway the addresses of all services that it routes to', () => {
    const gateway = TOPOLOGY.find(({ name }) => name === 'gateway');
    expect(gateway?.asks).toEqual(GATEWAY_SERVICES);
    const environment = gateway && serviceEnvironment(gateway, (name) => `http://${name}:1`);
    expect(gatewaySettings(environment)).toMatchObject({ PREPARE_SERVICE_URL: 'http://prepare:1', STATS_SERVICE_URL: 'http://stats:1' });
  });

  it('gives no state and no credentials to prepare and the gateway', () => {
    const prepare = composeDocument() as { services: Record<string, ComposeService> };
    for (const name of ['prepare', 'gateway'])
      expect(Object.keys(prepare.services[name]?.environment ?? {}).filter((key) => /AWS|TABLE|QUEUE|BUCKET/.test(key))).toEqual([]);
  });
});

describe('docs/deployments.md', () => {
  it('lists every service with its port and limits', async () => {
    const text = await textOf('docs/deployments.md');
    for (const { name, port, limits } of TOPOLOGY) expect(text).toContain(`| \`${name}\` | ${port} | ${limits.cpus} | ${limits.memory} |`);
  });

  it('lists the time limit of every route of the gateway', async () => {
    const text = await textOf('docs/deployments.md');
    for (const { service, timeoutMs } of GATEWAY_ROUTES)
      expect(text).toMatch(new RegExp(`^\\|.*\\| ${service}\\b.*\\| ${timeoutMs / 1000} s \\|$`, 'm'));
  });
});

describe('compose.yaml', () => {
  it('has only settings of the server, and its paths and ports in the container override `.env`', async () => {
    const environment = (await servicesOf('compose.yaml'))[0]?.[1].environment;
    const given = Object.fromEntries(
      Object.entries(environment ?? {}).map(([name, value]) => [name, value.replace(/^\$\{\w+:-(.*)\}$/, '$1')]),
    );
    const dotEnv = { ASU_PORT: '9000', PORT: '9001', HOST: '127.0.0.1', ASU_DATA_DIR: './data', BUILD_TTL: '1d' };
    const { config, warnings } = readConfig({}, { ...dotEnv, ...given, ASU_CONFIG: '/dev/null' });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ PORT: 8000, HOST: '0.0.0.0', dataDir: '/var/lib/asu', BUILD_TTL: 86_400 });
  });
});

it('a setting that several services read reaches each of them', () => {
  const having = (setting: string) => TOPOLOGY.filter(({ settings }) => settings.includes(setting)).map(({ name }) => name);
  expect(having('BRANCHES')).toEqual(['build', 'prepare', 'catalogue', 'stats', 'maintenance', 'runner']);
  expect(having('SERVER_STATS')).toEqual(['build', 'runner']);
});

it('compose.services.yaml takes every name of another state from the environment', async () => {
  for (const [name, { environment }] of await servicesOf('compose.services.yaml')) {
    if (name === 'localstack' || name === 'resources') continue;
    for (const [variable, value] of Object.entries(environment))
      if (/^AWS_|TABLE$|QUEUE_URL$|BUCKET$|PATH_STYLE$/.test(variable))
        expect([name, variable, value]).toEqual([name, variable, expect.stringMatching(new RegExp(`^\\$\\{${variable}:?-.+\\}$`))]);
  }
});

/** Returns the project's files that these import, directly or not. Node removes type imports, so they do not count. */
async function importedFrom(entries: readonly string[]): Promise<string[]> {
  const found = new Set(entries);
  for (const path of found) {
    const text = (await textOf(path)).replaceAll(/^(?:import|export) type [^;]+;$/gm, '');
    for (const [, from = ''] of text.matchAll(/(?:from |import\()'([#.][^']+)'/g)) {
      const target = from.startsWith('#') ? new URL(from.slice(1), root) : new URL(from, new URL(path, root));
      found.add(target.href.slice(root.href.length));
    }
  }
  return [...found];
}
