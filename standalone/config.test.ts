import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig as loadRunnerConfig } from '#runner/config.ts';
import { SettingsError } from '#settings/read-settings.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { closestName } from './config/closest-name.ts';
import { searchedFiles } from './config/config-file.ts';
import { newSettings } from './config/new-settings.ts';
import { ALIASES, BUILDER_SETTINGS, FOREIGN_SETTINGS, REFERENCE_SETTINGS } from './config/other-servers.ts';
import { SETTING_NAMES, Settings } from './config/settings.ts';
import { loadConfig, readConfig } from './config.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

type Env = Record<string, string>;

/** Writes a file and reads the settings from it alone. */
async function withFile(name: string, text: string, env: Env = {}, commandLine = {}) {
  const path = join(directory, name);
  await writeFile(path, text);
  return readConfig(commandLine, env, [path]);
}
const withToml = (text: string, env: Env = {}) => withFile('asu.toml', text, env);
const withYaml = (text: string, env: Env = {}) => withFile('config.yaml', text, env);

/** Returns the refusals as lines, without the directory. */
async function refusals(reading: () => Promise<unknown>): Promise<string[]> {
  const error: unknown = await reading().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SettingsError);
  return (error as SettingsError).message.replaceAll(`${directory}/`, '').split('\n');
}

const warningsOf = ({ warnings }: { warnings: readonly string[] }) => warnings.map((text) => text.replaceAll(`${directory}/`, ''));

describe('the order of sources', () => {
  it('is the command line, ASU_NAME, NAME, the file, the default', async () => {
    const file = 'port = 5000\n';
    const env = { PORT: '4000', ASU_SERVER_PORT: '3000', ASU_PORT: '2000' };
    const port = async (given: Env, commandLine = {}) => (await withFile('asu.toml', file, given, commandLine)).config.PORT;
    expect(await port(env, { port: '1000' })).toBe(1000);
    expect(await port(env)).toBe(2000);
    expect(await port({ PORT: '4000', ASU_SERVER_PORT: '3000' })).toBe(3000);
    expect(await port({ PORT: '4000' })).toBe(4000);
    expect(await port({})).toBe(5000);
    expect(loadConfig({}, {}).PORT).toBe(8000);
  });

  it('is recorded for each setting', async () => {
    const { origins, file } = await withFile(
      'asu.toml',
      '# ours\ncontact = "x"\nmax_pending_jobs = 3\nlog_level="debug"\n',
      { LOG_LEVEL: 'WARNING', ASU_MAX_PENDING_JOBS: '' },
      { host: '::1' },
    );
    expect(Object.fromEntries([...origins].map(([name, { as, where }]) => [name, `${as} (${where})`]))).toEqual({
      HOST: '--host (command line)',
      LOG_LEVEL: 'LOG_LEVEL (environment)',
      CONTACT: `contact (${file}:2)`,
      MAX_PENDING_JOBS: `max_pending_jobs (${file}:3)`,
    });
  });

  it('has files in ./, ~/.asu/ and /etc/asu/, of which the server reads only the first that exists', async () => {
    expect(searchedFiles('/home/op')).toEqual([
      'asu.toml',
      'config.yaml',
      'config.yml',
      '/home/op/.asu/asu.toml',
      '/home/op/.asu/config.yaml',
      '/home/op/.asu/config.yml',
      '/etc/asu/asu.toml',
      '/etc/asu/config.yaml',
      '/etc/asu/config.yml',
    ]);
    const [near, far] = [join(directory, 'config.yaml'), join(directory, 'asu.toml')];
    await writeFile(far, 'contact = "far"\nport = 1');
    expect(readConfig({}, {}, [near, far]).config).toMatchObject({ CONTACT: 'far', PORT: 1 });
    await writeFile(near, 'contact: near\n');
    expect(readConfig({}, {}, [near, far])).toMatchObject({ file: near, config: { CONTACT: 'near', PORT: 8000 } });
  });

  it('has only the named file if there is one, and that file must exist', async () => {
    const path = join(directory, 'other.yml');
    await writeFile(path, 'contact: named\n');
    const searched = join(directory, 'asu.toml');
    await writeFile(searched, 'contact = "found"\n');
    const contact = (commandLine: object, env: Env) => readConfig(commandLine, env, [searched]).config.CONTACT;
    expect(contact({}, {})).toBe('found');
    expect(contact({ config: path }, {})).toBe('named');
    expect(contact({}, { ASU_CONFIG: path })).toBe('named');
    expect(contact({}, { ASU_CONFIG: '/dev/null' })).toBe('');
    expect(() => contact({ config: `${path}.toml` }, {})).toThrow(`${path}.toml: there is no such file`);
  });
});

it('sizes have the same unit as in the runner', () => {
  const sizes = { IMAGEBUILDER_CACHE_MB: '100', MAX_BUILD_DISK_MB: '200', MAX_OUTPUT_MB: '300', BUILD_MEMORY_MB: '400' };
  const resources = {
    ...{ BUILD_TABLE: 'builds', STATISTICS_TABLE: 'statistics', ARTIFACT_BUCKET: 'artefacts' },
    ...{ BUILD_QUEUE_URL: 'https://sqs.example/queue', DEAD_LETTER_QUEUE_URL: 'https://sqs.example/dead' },
  };
  const names = Object.keys(sizes) as (keyof typeof sizes)[];
  for (const given of [sizes, {}]) {
    const [runner, server] = [loadRunnerConfig({ ...resources, ...given }), loadConfig({}, given)];
    for (const name of names) expect([name, runner[name]]).toEqual([name, server[name]]);
  }
  expect(loadConfig({}, sizes).IMAGEBUILDER_CACHE_MB).toBe(100 * 1024 * 1024);
});

describe('the types in a file', () => {
  const expected = {
    PORT: 80,
    ALLOW_DEFAULTS: true,
    BUILD_TTL: 172_800,
    JOB_TIMEOUT: 90,
    RETRY_DELAYS: [5, 60],
    REPOSITORY_ALLOW_LIST: ['https://a.example/x', 'https://b.example'],
    IMAGEBUILDER_CACHE_MB: 10 * 1024 * 1024,
    WORKER_POLL_SECONDS: 2,
    LOG_LEVEL: 'warn',
    BRANCHES: [
      { name: '24.10', path: 'releases/{version}', enabled: true, branch_off_rev: 27990 },
      { name: 'SNAPSHOT', path: 'snapshots', enabled: false },
    ],
  };

  it('TOML', async () => {
    const { config, warnings } = await withToml(`
port = 80
allow_defaults = true
build_ttl = "2d"
job_timeout = 90
retry_delays = [5, "1m"]
repository_allow_list = ["https://a.example/x", "https://b.example"]
imagebuilder_cache_mb = 10
worker_poll_seconds = 2
log_level = "WARNING"
[branches."24.10"]
path = "releases/{version}"
branch_off_rev = 27990
[branches.SNAPSHOT]
path = "snapshots"
enabled = false
`);
    expect(config).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  it('YAML, where 24.10 stays 24.10 without quotes', async () => {
    const { config, warnings } = await withYaml(`
port: 80
allow_defaults: yes
build_ttl: 2d
job_timeout: 90
retry_delays: [5, 1m]
repository_allow_list:
  - https://a.example/x
  - https://b.example
imagebuilder_cache_mb: 10
worker_poll_seconds: 2
log_level: WARNING
contact:
branches:
  24.10:
    path: releases/{version}
    branch_off_rev: 27990
  SNAPSHOT: {path: snapshots, enabled: false}
`);
    expect(config).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  it('an empty file counts as no file', async () => {
    expect((await withYaml('# nothing\n')).config).toEqual(loadConfig({}, {}));
    expect((await withToml('')).config).toEqual(loadConfig({}, {}));
  });

  it('~/ is the home directory; database and images go to the configured paths', async () => {
    const { config } = await withToml('data_dir = "~/asu"\npublic_path = "/srv/asu"\nasu_database_path = "/var/db/asu.db"');
    expect(config).toMatchObject({ dataDir: join(homedir(), 'asu'), artifactDir: '/srv/asu', databasePath: '/var/db/asu.db' });
  });
});

describe('the server refuses', () => {
  it('wrong values, all at once, with the name as written, the value, the place and the allowed values', async () => {
    const text = 'port = "http"\nbuild_ttl = "soon"\nupstream_url = "ftp://x"\nverify = "no"\nhost = ["a"]\nretry_delays = [[1]]\n';
    expect(await refusals(() => withToml(text, { ASU_MAX_PENDING_JOBS: 'many', LEASE: '2d', SWEEP_EVERY: '0' }))).toEqual([
      'host (asu.toml:5): expected a single value',
      'retry_delays (asu.toml:6): expected a list of single values',
      'port=http (asu.toml:1): expected a whole number',
      'upstream_url=ftp://x (asu.toml:3): expected an http or https URL',
      'ASU_MAX_PENDING_JOBS=many (environment): expected a whole number',
      'build_ttl=soon (asu.toml:2): expected a duration such as 30s, 10m, 1h or 7d',
      'verify=no (asu.toml:4): Invalid option: expected one of "require"|"known"|"checksum"',
      'SWEEP_EVERY=0 (environment): expected a duration such as 30s, 10m, 1h or 7d',
      'LEASE=2d (environment): expected at most 1d',
    ]);
    expect(await refusals(async () => readConfig({ port: '99999' }, {}, []))).toEqual([
      '--port=99999 (command line): Too big: expected number to be <=65535',
    ]);
  });

  it('invalid branches, with the place inside the table', async () => {
    expect(await refusals(() => withYaml('branches:\n  24.10: {path: ../x}\n'))).toEqual([
      expect.stringMatching(/^branches \(config\.yaml:1\): 24\.10\.path: /),
    ]);
    expect(await refusals(() => withToml('[branches.24.10]\npath = "releases/{version}"\n'))).toEqual([
      expect.stringMatching(/^branches \(asu\.toml:1\): 24\.path: .*; TOML wants quotes: \[branches\."24\.10"\]$/),
    ]);
    expect(await refusals(() => withToml('branches = "none"'))).toEqual(['branches=none (asu.toml:1): expected JSON']);
  });

  it('one setting twice in a file', async () => {
    expect(await refusals(() => withToml('public_path = "a"\nASU_PUBLIC_PATH = "b"\n'))).toEqual([
      'ASU_PUBLIC_PATH (asu.toml:2): is the same setting as public_path; take one of them out',
    ]);
  });

  it('files that it cannot parse, without printing their content', async () => {
    expect(await refusals(() => withToml('a = 1\ns3_secret_key = hunter2\n'))).toEqual([
      'asu.toml:2: Invalid TOML document: invalid value',
    ]);
    expect(await refusals(() => withYaml('port: 1\ns3_secret_key: "hunter2\n'))).toEqual([
      expect.stringMatching(/^config\.yaml:\d: Missing closing/),
    ]);
    expect(await refusals(() => withYaml('- hunter2\n'))).toEqual(['config.yaml:1: expected settings, one per line: name: value']);
    expect(await refusals(() => withFile('asu.ini', 'x'))).toEqual(['asu.ini: expected a file named *.toml, *.yaml or *.yml']);
    expect(await refusals(async () => readConfig({ config: directory }, {}))).toEqual([expect.stringMatching(/cannot be read: EISDIR/)]);
  });

  it('wrong secrets, without printing them', async () => {
    const key = 'RWRCSwAAAACvZG9u';
    const lines = await refusals(() =>
      withToml(`build_key = "${key}"\nupstream_url = "https://me:hunter2@mirror.example"\nredis_url = "redis://:hunter/2@cache:6379"`),
    );
    expect(lines).toEqual([
      'upstream_url=https://(hidden)@mirror.example (asu.toml:2): expected a URL without password',
      'build_key=(hidden) (asu.toml:1): expected the path of a file named key-build',
      expect.stringMatching(/^redis_url=redis:\/\/\(hidden\)@cache:6379 \(asu\.toml:3\): cannot be honoured: there is no Redis here/),
    ]);
    const warned = warningsOf(await withToml('s3_secret_key = "hunter2"\ns3_secret_kye = "hunter2"', { ASU_TOKN: 'hunter2' }));
    expect(warned).toHaveLength(3);
    expect(warned.join()).not.toContain('hunter2');
  });
});

describe('the server warns of', () => {
  it('unknown names, with the name that was probably meant', async () => {
    const loaded = await withToml('max_pending_job = 3\ncolour = "red"\n', { ASU_JOB_TIMOUT: '5m', ASU_COLOUR: 'red', COLOUR: 'red' });
    expect(warningsOf(loaded)).toEqual([
      'ASU_JOB_TIMOUT (environment): is no setting; is ASU_JOB_TIMEOUT meant?',
      'ASU_COLOUR (environment): is no setting',
      'max_pending_job (asu.toml:1): is no setting; is max_pending_jobs meant?',
      'colour (asu.toml:2): is no setting',
    ]);
  });

  it('settings below a table in TOML, which belong to the table', async () => {
    const toml = '[branches.SNAPSHOT]\npath = "snapshots"\nsnapshots = true\nlog_level = "debug"\nversions = ["SNAPSHOT"]\n';
    expect(warningsOf(await withToml(toml))).toEqual([
      'branches (asu.toml:1): SNAPSHOT.snapshots is no setting of a branch; is snapshot meant?',
      'branches (asu.toml:1): SNAPSHOT.log_level is no setting of a branch; settings belong above the first table',
    ]);
  });

  it('the second name of a setting that is already given', async () => {
    const loaded = await withYaml('server_port: 1\nport: 2\n');
    expect(loaded.config.PORT).toBe(2);
    expect(warningsOf(loaded)).toEqual(['server_port (config.yaml:1): has no effect, as port is given too']);
  });
});

/** Every setting of the reference server in docs/configuration.md, each with a plausible value. */
const OF_THE_REFERENCE_SERVER = {
  public_path: '/srv/public',
  redis_url: 'redis://redis:6379',
  upstream_url: 'https://mirror.example',
  cache_url: 'http://cache.example',
  allow_defaults: 'true',
  async_queue: 'false',
  branches_file: '/etc/branches.yml',
  max_custom_rootfs_size_mb: '512',
  max_defaults_length: '100',
  repository_allow_list: '["https://feeds.example"]',
  base_container: 'ghcr.io/me/imagebuilder',
  container_identity: '/id_ed25519',
  branches: '{"SNAPSHOT":{"path":"snapshots"}}',
  store_backend: 's3',
  s3_endpoint: 'https://s3.example',
  s3_access_key: 'AKIA',
  s3_secret_key: 'secret',
  s3_region: 'eu-central-1',
  s3_public_url: 'https://cdn.example',
  s3_bucket: 'bucket',
  server_stats: 'false',
  log_level: 'DEBUG',
  build_ttl: '3d',
  build_ttl_unversioned: '12h',
  build_defaults_ttl: '10m',
  build_failure_ttl: '30m',
  max_pending_jobs: '50',
  job_timeout: '20m',
  build_key: '/keys/key-build',
};

describe('settings of the reference server', () => {
  it.each(Object.entries(OF_THE_REFERENCE_SERVER))('%s is mapped, or reported with the alternative', async (key, value) => {
    const name = key.toUpperCase();
    const isMapped = (SETTING_NAMES as readonly string[]).includes(name);
    expect(isMapped).not.toBe(Object.hasOwn(FOREIGN_SETTINGS, name));
    for (const variable of [name, `ASU_${name}`]) {
      const read = () => readConfig({}, { [variable]: value }, []);
      if (isMapped) expect(read().config).not.toEqual(loadConfig({}, {}));
      else if (name.startsWith('S3_'))
        expect(read().warnings).toEqual([`${variable} (environment): has no effect: ${REFERENCE_SETTINGS[name]?.instead}`]);
      else expect(read).toThrow(`${variable}=${value} (environment): cannot be honoured: ${REFERENCE_SETTINGS[name]?.instead}`);
    }
    const inFile = () => withYaml(`${key}: ${value}\n`);
    if (isMapped) expect(warningsOf(await inFile())).toEqual([]);
    else if (name.startsWith('S3_'))
      expect(warningsOf(await inFile())).toEqual([expect.stringContaining(`${key} (config.yaml:1): has no effect: `)]);
    else
      expect(await refusals(inFile)).toEqual([`${key}=${value} (config.yaml:1): cannot be honoured: ${REFERENCE_SETTINGS[name]?.instead}`]);
  });

  it('values that match the behaviour here do not prevent the start', async () => {
    const loaded = await withToml(
      'async_queue = true\nstore_backend = "local"\nbase_container = "ghcr.io/openwrt/imagebuilder"\ncache_url = ""\ncontainer_identity = ""\n',
    );
    expect(warningsOf(loaded).map((text) => text.split(' ', 1)[0])).toEqual(['async_queue', 'store_backend', 'base_container']);
  });

  it('every one is covered', () => {
    const listed = new Set(Object.keys(OF_THE_REFERENCE_SERVER).map((key) => key.toUpperCase()));
    for (const name of Object.keys(REFERENCE_SETTINGS)) expect(listed).toContain(name);
  });
});

/** The `config.yaml` of the builder document. */
const BUILDER_FILE = `
server_host: "0.0.0.0"
server_port: 8080
database_path: "./data/builder.db"
public_path: "./public"
store_path: "./public/store"
upstream_url: "https://downloads.openwrt.org"
container_runtime: "podman"
container_socket_path: "/run/podman/podman.sock"
imagebuilder_registry: "ghcr.io/openwrt/imagebuilder"
max_pending_jobs: 200
job_timeout_seconds: 900
build_ttl_seconds: 86400
failure_ttl_seconds: 1800
allow_defaults: true
worker_id: "worker-1"
worker_concurrent: 4
worker_poll_seconds: 5
package_changes_url: "http://localhost:8081"
log_level: "info"
`;

describe('settings of the builder document', () => {
  it('its file works unchanged, with warnings about settings without effect', async () => {
    const loaded = await withYaml(BUILDER_FILE);
    expect(loaded.config).toMatchObject({
      HOST: '0.0.0.0',
      PORT: 8080,
      databasePath: join(process.cwd(), 'data/builder.db'),
      artifactDir: join(process.cwd(), 'public'),
      MAX_PENDING_JOBS: 200,
      JOB_TIMEOUT: 900,
      BUILD_TTL: 86_400,
      BUILD_TTL_UNVERSIONED: 86_400,
      BUILD_FAILURE_TTL: 1_800,
      ALLOW_DEFAULTS: true,
      WORKER_CONCURRENT: 4,
      WORKER_POLL_SECONDS: 5,
    });
    expect(warningsOf(loaded).map((text) => text.split(' ', 1)[0]?.toUpperCase())).toEqual(Object.keys(BUILDER_SETTINGS));
  });

  it('its variables work as requirement 78 describes', () => {
    const env = {
      ASU_SERVER_PORT: '8080',
      ASU_DATABASE_PATH: '/data/builder.db',
      ASU_WORKER_CONCURRENT: '4',
      ASU_FAILURE_TTL_SECONDS: '60',
    };
    expect(loadConfig({}, env)).toMatchObject({
      PORT: 8080,
      databasePath: '/data/builder.db',
      WORKER_CONCURRENT: 4,
      BUILD_FAILURE_TTL: 60,
    });
    for (const alias of Object.keys(ALIASES)) expect(loadConfig({}, { [alias]: '1' })).toEqual(loadConfig({}, {}));
  });

  it.each([
    ['store_path', '/elsewhere'],
    ['container_socket_path', '/tmp/remote.sock'],
    ['imagebuilder_registry', 'registry.example/imagebuilder'],
    ['package_changes_url', 'http://changes.example'],
  ])('%s is refused if it would change the behaviour', async (key, value) => {
    const { instead } = BUILDER_SETTINGS[key.toUpperCase()] ?? {};
    expect(await refusals(() => withYaml(`${key}: ${value}\n`))).toEqual([
      `${key}=${value} (config.yaml:1): cannot be honoured: ${instead}`,
    ]);
  });
});

describe('reloaded settings', () => {
  it('change what a running server can change, and name the settings that need a restart', () => {
    const running = loadConfig({}, { ASU_DATA_DIR: '/a' });
    const read = loadConfig({}, { ASU_DATA_DIR: '/b', PORT: '1', CONTACT: 'x', BRANCHES: '{"SNAPSHOT":{"path":"snapshots"}}' });
    const { config, changed, needRestart } = newSettings(running, read);
    expect(changed).toEqual(['BRANCHES', 'CONTACT']);
    expect(needRestart).toEqual(['PORT', 'ASU_DATA_DIR']);
    expect(config).toEqual({ ...running, CONTACT: 'x', BRANCHES: read.BRANCHES });
  });
});

describe('other distributions', () => {
  const toml = [
    'contact = "x"',
    '[distros.immortalwrt]',
    'upstream_url = "https://downloads.immortalwrt.org"',
    'repository_hosts = ["downloads.immortalwrt.org", "mirror.example/immortalwrt"]',
    '[distros.immortalwrt.branches."24.10"]',
    'path = "releases/{version}"',
  ].join('\n');

  it('are tables of the file, or JSON in a variable', async () => {
    const { config } = await withToml(toml);
    expect(config.DISTROS).toMatchObject([
      {
        name: 'immortalwrt',
        imagebuilderPrefix: 'immortalwrt-imagebuilder-',
        repositoryHosts: ['downloads.immortalwrt.org', 'mirror.example/immortalwrt'],
        branches: [{ name: '24.10', path: 'releases/{version}' }],
      },
    ]);
    const { config: fromYaml } = await withYaml(
      'distros:\n  mine: {upstream_url: "https://mine.example", branches: {24.10: {path: "releases/{version}"}}}\n',
    );
    expect(fromYaml.DISTROS).toMatchObject([{ name: 'mine', branches: [{ name: '24.10' }] }]);
    expect(loadConfig({}, { DISTROS: '{}' }).DISTROS).toEqual([]);
  });

  it('that cannot be used are refused with the place inside the table', async () => {
    expect(await refusals(() => withToml(toml.replace('https:', 'ftp:')))).toEqual([
      'distros (asu.toml:2): immortalwrt.upstream_url: expected an http or https URL',
    ]);
    expect(await refusals(() => withToml(toml.replaceAll('[distros.immortalwrt', '[distros.openwrt')))).toEqual([
      'distros (asu.toml:2): openwrt: openwrt is what UPSTREAM_URL, TRUSTED_KEYS and BRANCHES describe',
    ]);
  });
});

describe('closestName', () => {
  const names = SETTING_NAMES.map(String);
  const name = fc.constantFrom(...names);

  it('finds a name with one letter missing, and the name itself', () => {
    fc.assert(
      fc.property(name, fc.nat(), (text, at) => {
        const index = at % text.length;
        const typed = text.slice(0, index) + text.slice(index + 1);
        expect(closestName(text, names)).toBe(text);
        expect([text, ...names.filter((other) => other.length === typed.length)]).toContain(closestName(typed, names));
      }),
    );
  });

  it('returns nothing if no name is close', () => {
    expect(closestName('COLOUR', names)).toBeUndefined();
    expect(closestName('X', [])).toBeUndefined();
  });
});

it('every setting is optional', () => {
  expect(Settings.safeParse({}).error).toBeUndefined();
});
