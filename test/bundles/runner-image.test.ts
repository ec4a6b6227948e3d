import { spawnSync } from 'node:child_process';
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkHost } from '#runner/host/check-host.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { bundleRunner } from '../../bundles/bundle-runner.ts';
import { ROOT } from '../../bundles/esbuild-options.ts';

let directory: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  await bundleRunner(directory);
});

describe('the context of the runner image', () => {
  it('contains the runner, its Node and nothing else', async () => {
    expect((await readdir(directory)).sort()).toEqual(['Containerfile', 'main.mjs', 'node']);
    await access(join(directory, 'node'), constants.X_OK);
    const { stdout } = spawnSync(join(directory, 'node'), ['--version'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^v24\./);
  });

  it('has a runner that names missing settings', () => {
    const { status, stderr } = spawnSync(join(directory, 'node'), [join(directory, 'main.mjs')], { encoding: 'utf8', env: {} });
    expect(status).toBe(2);
    for (const name of ['BUILD_TABLE', 'BUILD_QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'ARTIFACT_BUCKET'])
      expect(stderr).toContain(`${name}=: must be set`);
  });

  it('has a runner that names unusable resources', () => {
    const { status, stderr } = spawnSync(join(directory, 'node'), [join(directory, 'main.mjs')], {
      encoding: 'utf8',
      env: {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        AWS_MAX_ATTEMPTS: '1',
        BUILD_TABLE: 'no-table',
        STATISTICS_TABLE: 'no-statistics',
        BUILD_QUEUE_URL: 'http://127.0.0.1:9/no-queue',
        DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/no-dead-letters',
        ARTIFACT_BUCKET: 'no-bucket',
        S3_FORCE_PATH_STYLE: 'true',
        DATA_DIR: directory,
      },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^The runner could not start: (DynamoDB table no-(table|statistics)|SQS queue \S*no-queue|S3 bucket no-bucket) cannot be used: /,
    );
  });
});

describe('runner/Containerfile', () => {
  it('installs everything that ImageBuilders need on a host', async () => {
    const text = await readFile(join(ROOT, 'runner', 'Containerfile'), 'utf8');
    const installed = new Set(/^ARG PACKAGES="(.*)"$/m.exec(text)?.[1]?.split(' '));
    const needed = (await checkHost(directory)).flatMap(({ install }) => install.apt.split(' ')).filter((name) => name !== '');
    expect(needed.length).toBeGreaterThan(10);
    expect(needed.filter((name) => !installed.has(name))).toEqual([]);
  });
});
