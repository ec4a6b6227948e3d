import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { runChecks } from '#test/compat/conformance/run-checks.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { bundleStandalone } from '../../bundles/bundle-standalone.ts';

// The single file runs alone in a directory, without any package.
describe('asu.mjs', () => {
  let directory: string;
  let upstream: DemoUpstreamServer;
  let server: ChildProcess;
  let url: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    await bundleStandalone(join(directory, 'asu.mjs'));
    expect(await readdir(directory)).toEqual(['asu.mjs']);
    upstream = await serveDemoUpstream();
    env = {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      HOME: directory,
      UPSTREAM_URL: upstream.url,
      TRUSTED_KEYS: demoUpstreamKey.base64,
      PORT: '0',
    };
    server = spawn(process.execPath, ['asu.mjs'], { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
    url = await new Promise((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`ended with ${code}`)));
      createInterface({ input: server.stdout as NodeJS.ReadableStream }).on('line', (text) => {
        const line = JSON.parse(text) as Record<string, unknown>;
        if (line['message'] === 'server listening') resolve(String(line['url']));
      });
    });
  });
  afterAll(async () => {
    if (server.exitCode === null) server.kill('SIGKILL');
    await upstream.close();
  });

  it('is the whole server and keeps every promise of the API, with a real build', async () => {
    expect((await runChecks(url, { builds: true })).filter(({ failure }) => failure !== undefined)).toEqual([]);
  });

  it('serves the documentation page and all its files', async () => {
    const page = await (await fetch(`${url}/api/v1/docs`)).text();
    const files = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => `/api/v1/${path}`);
    expect(files.length).toBeGreaterThan(1);
    for (const path of files) expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
  });

  it('ends cleanly on SIGTERM', async () => {
    server.kill('SIGTERM');
    expect((await once(server, 'exit'))[0]).toBe(0);
  });

  it('prints its settings and checks the machine, like npm run config and npm run doctor', async () => {
    const run = (word: string) => promisify(execFile)(process.execPath, ['asu.mjs', word], { cwd: directory, env });
    expect((await run('config')).stdout).toMatch(/^UPSTREAM_URL +http:\/\/127\.0\.0\.1/m);
    expect((await run('doctor')).stdout).toContain('What ImageBuilder needs of this machine');
  });
});
