import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alterImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { imagebuilderMaker } from './imagebuilder-maker.ts';
import { demoBinDir, demoOrder } from './testing/demo-order.ts';

let directory: string;
let upstream: DemoUpstreamServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'asu-hostile-ib-'));
  await chmod(directory, 0o711);
  upstream = await serveDemoUpstream();
});
afterAll(async () => {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

let makers = 0;
async function make(request = {}): Promise<unknown> {
  const at = (name: string) => join(directory, String(makers), name);
  makers++;
  const maker = imagebuilderMaker({
    upstreamUrl: upstream.url,
    cacheDirectory: at('cache'),
    workDirectory: at('work'),
    keyDirectory: at('keys'),
  });
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', ...request });
  return maker.make(order, demoBinDir(), { enter: () => undefined, log: () => undefined }, new AbortController().signal).then(
    (output) => output,
    (error: unknown) => error,
  );
}

it.each(['/proc/self/environ', '/proc/self/../../etc/hostname'])(
  'a repositories.conf that is a link to %s is not read',
  async (linkTarget) => {
    await alterImagebuilder(upstream, [{ name: 'repositories.conf', linkTarget }]);
    const made = await make();
    console.log(JSON.stringify(made).slice(0, 600), String(made));
    expect(JSON.stringify(made)).not.toContain('VITEST');
    expect(String(made)).toContain('repositories.conf');
  },
);

it('a directory for the defaults that is a link is not written to', async () => {
  const outside = join(tmpdir(), `asu-outside-${process.pid}`);
  await mkdir(outside);
  try {
    await alterImagebuilder(upstream, [{ name: 'asu-files/etc/' }, { name: 'asu-files/etc/uci-defaults', linkTarget: outside }]);
    const made = await make({ defaults: 'echo x' });
    console.log(String(made));
    expect(await readdir(outside)).toEqual([]);
  } finally {
    await rm(outside, { recursive: true });
  }
});
