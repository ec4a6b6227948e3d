import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { SETTING_NAMES } from './config/settings.ts';

let directory: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
});

const script = new URL('./print-config.ts', import.meta.url).pathname;

/** Runs `npm run config` in its own directory. */
function printConfig(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: directory,
    env: { PATH: '', HOME: directory, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('prints every setting with its source, and hides secrets', async () => {
  const path = join(directory, 'good.toml');
  await writeFile(
    path,
    'build_ttl = "36h"\nlog_level = "debug"\nrepository_allow_list = ["https://me:hunter2@feeds.example/"]\ns3_secret_key = "hunter2"\ncolour = "red"\n',
  );
  const { status, stdout, stderr } = printConfig(['--config', path, '--port', '81'], { ASU_LOG_LEVEL: 'error', MAX_PENDING_JOBS: '7' });
  expect(status).toBe(0);
  const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows[0]).toEqual([`Configuration file: ${path}`]);
  expect(rows.slice(2, -1).map(([name]) => name)).toEqual(SETTING_NAMES);
  for (const row of [
    ['PORT', '81', 'command line --port'],
    ['MAX_PENDING_JOBS', '7', 'environment MAX_PENDING_JOBS'],
    ['LOG_LEVEL', 'error', 'environment ASU_LOG_LEVEL'],
    ['BUILD_TTL', '36h', `${path}:1 build_ttl`],
    ['REPOSITORY_ALLOW_LIST', '["https://(hidden)@feeds.example/"]', `${path}:3 repository_allow_list`],
    ['BUILD_TTL_UNVERSIONED', '7d', 'default'],
    ['ASU_DATABASE_PATH', `${directory}/data/asu.db`, 'default'],
  ])
    expect(rows).toContainEqual(row);
  expect(stderr).toContain('Warning: s3_secret_key');
  expect(stderr).toContain('Warning: colour');
  expect(stdout + stderr).not.toContain('hunter2');
});

it('finds the file in ./ and ~/.asu, and prints JSON that a configuration file can contain', async () => {
  await writeFile(join(directory, 'config.yaml'), 'retry_delays: [90, 1h]\nimagebuilder_cache_mb: 100\n');
  const { status, stdout } = printConfig(['--json']);
  expect(status).toBe(0);
  const { file, settings, warnings } = JSON.parse(stdout);
  expect({ file, warnings }).toEqual({ file: 'config.yaml', warnings: [] });
  expect(settings).toMatchObject({
    RETRY_DELAYS: { value: ['90s', '1h'], source: 'config.yaml:1 retry_delays' },
    IMAGEBUILDER_CACHE_MB: { value: 100, source: 'config.yaml:2 imagebuilder_cache_mb' },
    BRANCHES: { value: { SNAPSHOT: { path: 'snapshots' } }, source: 'default' },
    ALLOW_DEFAULTS: { value: false, source: 'default' },
  });
  await rm(join(directory, 'config.yaml'));

  const again = join(directory, 'again.yaml');
  await writeFile(again, JSON.stringify(Object.fromEntries(Object.entries(settings as object).map(([name, { value }]) => [name, value]))));
  const second = JSON.parse(printConfig(['--json', '--config', again]).stdout).settings;
  for (const name of SETTING_NAMES) expect([name, second[name].value]).toEqual([name, settings[name].value]);
});

it('exits with 2 and says what is wrong if the server would not start', () => {
  expect(printConfig([], { PORT: 'http', STORE_BACKEND: 's3' })).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(
      /^These settings cannot be used:\nPORT=http \(environment\): expected a whole number\nSTORE_BACKEND=s3 \(environment\): cannot be honoured: .*\n$/,
    ),
  });
});

it('takes the variables of curl for proxies, and hides their passwords', () => {
  const { status, stdout, stderr } = printConfig([], { https_proxy: 'me:hunter2@proxy.example:3128', NO_PROXY: 'localhost 10.0.0.0/8' });
  expect(status).toBe(0);
  const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['HTTPS_PROXY', '(hidden)@proxy.example:3128/', 'environment https_proxy']);
  expect(rows).toContainEqual(['NO_PROXY', '["localhost","10.0.0.0/8"]', 'environment NO_PROXY']);
  const refused = printConfig([], { HTTP_PROXY: 'socks5://me:hunter2@proxy.example' });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('HTTP_PROXY=(hidden)@proxy.example (environment): expected the URL of an HTTP proxy');
  expect(stdout + stderr + refused.stdout + refused.stderr).not.toContain('hunter2');
});
