import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from '../imagebuilder-maker.ts';
import { demoBinDir, demoOrder } from '../testing/demo-order.ts';

let directory: string;
let upstream: DemoUpstreamServer;
let maker: ImagebuilderMaker;
beforeAll(async () => {
  directory = await temporaryDirectory();
  upstream = await serveDemoUpstream();
  const [cacheDirectory, workDirectory, keyDirectory] = ['cache', 'work', 'keys'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  maker = imagebuilderMaker({ upstreamUrl: upstream.url, cacheDirectory, workDirectory, keyDirectory });
});
afterAll(() => upstream.close());

async function failureOf(request: Partial<BuildRequest>): Promise<unknown> {
  const order = await demoOrder(upstream.url, { filesystem: 'squashfs', ...request });
  const progress = { enter: () => undefined, log: () => undefined };
  const error: unknown = await maker.make(order, demoBinDir(), progress, new AbortController().signal).then(
    (output) => output.dispose(),
    (reason: unknown) => reason,
  );
  if (error instanceof BuildFailure) await error.evidence.dispose?.();
  return error;
}

it.each([
  ['append', 'openwrt_base'],
  ['append', 'imagebuilder'],
  ['replace', 'imagebuilder'],
] as const)('a build fails for good that asks to %s a repository named %s', async (mode, name) => {
  const error = await failureOf({ repositories: { [name]: `${upstream.url}/custom/opkg` }, repositories_mode: mode });
  expect(error).toBeInstanceOf(BuildFailure);
  expect(error).toMatchObject({ message: expect.stringMatching(`^Repository name ${name} is taken: `) });
  expect(await readdir(join(directory, 'work', 'builds'))).toEqual([]);
});

it('a build fails for good when a key is not a key', async () => {
  const error = await failureOf({ repository_keys: ['nonsense'] });
  expect(error).toBeInstanceOf(BuildFailure);
  expect(error).toMatchObject({ message: expect.stringContaining('repository_keys[0]') });
});
