import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { localEnvironment } from '#local-aws/resources/aws-resources.ts';
import { downloadAll } from '#test/support/download.ts';
import { awsState } from '../localstack/e2e/aws-state.ts';
import { type TestStack, testStack } from '../localstack/e2e/test-stack.ts';
import { type Container, type ProcessStatus, startContainer } from './container.ts';
import { docker } from './docker.ts';
import { RUNNER_IMAGE } from './make-runner-image.ts';

/** A build whose last step is slow, so that there is time to look and to stop the runner. */
const request = (also: string) => ({ version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['slow-install', also] });

/** The strictest container: an unprivileged user, no capabilities to gain, and only memory to write to. */
const STRICT = [
  '--read-only',
  '--tmpfs=/tmp',
  '--tmpfs=/var/lib/asu:exec,uid=1000,gid=1000,mode=0755',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--network=host',
];
/** The container of compose.services.yaml: root, with only the capabilities that a uid per build needs. infra/runner.ts has more. */
const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETPCAP', 'SETUID'];
const AS_ROOT = [
  '--user=0',
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  ...CAPABILITIES.map((name) => `--cap-add=${name}`),
  '--network=host',
];
/** Seconds to stop: a tenth of the two minutes that Fargate Spot gives. */
const STOP_SECONDS = 12;
/** The queue may hand a build to a runner that stopped while it waited; the next runner gets it after this time. */
const LEASE_SECONDS = 8;

const directory = inject('dockerDirectory');
let stack: TestStack;
let state: ReturnType<typeof awsState>;
let containers: Container[] = [];
beforeAll(async () => {
  stack = await testStack({ images: 'real', env: { LEASE: String(LEASE_SECONDS) } });
  state = awsState(stack.resources);
});
afterEach(async () => {
  await Promise.all(containers.map((container) => container.stop(0)));
  containers = [];
});
afterAll(() => stack.stop());

async function runner(name: string, options: readonly string[]): Promise<Container> {
  const container = startContainer(directory, name, ['--health-interval=1s', ...options], {
    ...localEnvironment(inject('localStackUrl'), stack.names),
    UPSTREAM_URL: stack.upstream.url,
    TRUSTED_KEYS: demoUpstreamKey.base64,
    LEASE: String(LEASE_SECONDS),
    LOG_LEVEL: 'debug',
  });
  containers.push(container);
  await container.line('"runner ready"');
  return container;
}

async function submit(also: string): Promise<string> {
  const { status, body } = await stack.post('/api/v1/build', request(also));
  expect(status).toBe(202);
  return body.request_hash;
}

/** All processes of the container at a moment when make is among them. */
async function whileMaking(container: Container): Promise<ProcessStatus[]> {
  for (;;) {
    const processes = await container.processes();
    if (processes.some(({ name }) => name === 'make')) return processes;
  }
}

async function expectImages(hash: string): Promise<void> {
  const { status, body } = await stack.ended(hash);
  expect([status, body.detail]).toEqual([200, 'done']);
  await downloadAll(stack.url, body);
}

describe('the runner image, made from Debian packages alone', () => {
  it('has the right size, user, health check and entry point', async () => {
    const { Size, Config } = JSON.parse(await docker(directory, 'image', 'inspect', '--format', '{{json .}}', RUNNER_IMAGE));
    console.info(`the runner's image: ${Math.round(Size / 1e6)} MB`);
    expect(Size).toBeLessThan(600e6);
    expect(Config.User).toBe('asu');
    expect(Config.Healthcheck.Test[0]).toBe('CMD-SHELL');
    expect(Config.Entrypoint[0]).toBe('/usr/bin/tini');
  });

  it('builds as an unprivileged user on a read-only root, without capabilities', async () => {
    const container = await runner('strict', STRICT);
    expect(await container.line('"runner ready"')).toContain('"sandbox":"plain"');
    const hash = await submit('vim');
    await container.line('"build step entered"', '"building_image"');
    const processes = await whileMaking(container);
    expect(processes[0]?.name).toBe('tini');
    for (const process of processes)
      expect(process).toEqual({
        name: process.name,
        uid: 1000,
        capabilities: Array(5).fill('0000000000000000'),
        noNewPrivileges: true,
      });
    expect(await container.exec('touch', '/tmp/written')).toBe(0);
    for (const path of ['/written', '/opt/asu/written', '/home/asu/written', '/usr/local/bin/node'])
      expect([path, await container.exec('touch', path)]).toEqual([path, 1]);
    await expectImages(hash);
  });

  it('is healthy only while its heartbeat file is fresh', async () => {
    const container = await runner('health', STRICT);
    while ((await container.inspect('{{.State.Health.Status}}')) === 'starting') await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await container.inspect('{{.State.Health.Status}}')).toBe('healthy');
    const check = await container.inspect('{{index .Config.Healthcheck.Test 1}}');
    expect(await container.exec('sh', '-c', check)).toBe(0);
    expect(await container.exec('touch', '-d', '5 minutes ago', '/tmp/stale')).toBe(0);
    for (const file of ['/tmp/stale', '/tmp/missing'])
      expect([file, await container.exec('env', `ALIVE_FILE=${file}`, 'sh', '-c', check)]).toEqual([file, 1]);
  });

  it('hands its build back on SIGTERM, and another container finishes it', async () => {
    const first = await runner('first', STRICT);
    const hash = await submit('nano');
    await first.line('"build step entered"', '"building_image"');
    expect(await first.stop(STOP_SECONDS)).toBe(0);
    containers = [];
    expect(first.lines.join('\n')).toContain('"build handed back"');
    expect(await state.build(hash)).toMatchObject({ state: 'queued', attempt: 0 });
    await runner('second', STRICT);
    await expectImages(hash);
    expect(await state.build(hash)).toMatchObject({ state: 'done', attempt: 1 });
  });

  it('as root gives each build its own uid without capabilities', async () => {
    const container = await runner('root', AS_ROOT);
    expect(await container.line('"runner ready"')).toContain('"sandbox":"uid"');
    const hash = await submit('htop');
    await container.line('"build step entered"', '"building_image"');
    for (const { uid, capabilities, noNewPrivileges } of (await whileMaking(container)).filter(({ name }) => name === 'make')) {
      expect(uid).toBeGreaterThan(1000);
      expect(capabilities).toEqual(Array(5).fill('0000000000000000'));
      expect(noNewPrivileges).toBe(true);
    }
    await expectImages(hash);
  });
});
