import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageMaker } from '#core/build/ports.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { changeJson, dropHeader, type Passing, tamperingProxy } from '../support/tampering-proxy.ts';
import { auc } from './auc.ts';
import type { Device, Downloaded } from './client.ts';
import { firmwareSelector } from './firmware-selector.ts';
import { luci } from './luci.ts';
import { owut } from './owut.ts';
import { repostingScript } from './script.ts';

const TO = '24.10.2';

/** Makes builds wait until the client has polled once or given up. */
let gate = Promise.withResolvers<void>();

/** A scripted image with a manifest and facts like those of an ImageBuilder. */
function patientImageMaker(): ImageMaker {
  const scripted = scriptedImageMaker({ act: () => gate.promise });
  return {
    make: async (order, ...rest) => {
      const output = await scripted.make(order, ...rest);
      const { packages, packages_versions: versions } = order.request;
      const facts = { metadata_version: 1, default_packages: [], arch_packages: order.arch };
      return {
        ...output,
        manifest: Object.keys(versions).length > 0 ? versions : Object.fromEntries(packages.map((name) => [name, '1'])),
        metadata: { ...output.metadata, ...facts },
        profile: { ...output.profile, device_packages: [], image_prefix: 'openwrt' },
      };
    },
  };
}

const ROUTER: Device = { version: '24.10.0', target: 'ath79/generic', board: '8dev,carambola2', filesystem: 'squashfs', packages: [] };

/** The clients, each with its own packages, so that no build is cached. */
const CLIENTS: Record<string, (url: string, upstream: string, packages: string[]) => Promise<Downloaded>> = {
  owut: (url, _, packages) => owut(url, { ...ROUTER, packages }, TO),
  auc: (url, _, packages) => auc(url, { ...ROUTER, packages }, TO),
  luci: (url, _, packages) => luci(url, { ...ROUTER, packages }, { overview: '/api/overview', parallelPosts: 1 }),
  selector: (url, upstream, packages) =>
    firmwareSelector(url, upstream, { version: TO, target: ROUTER.target, profile: '8dev_carambola2', packages }),
  script: (url, _, packages) => repostingScript(url, { version: TO, target: ROUTER.target, profile: '8dev_carambola2', packages }),
};

const PACKAGES = ['vim', 'tmux', 'htop', 'nano', 'curl', 'babeld', 'siproxd', 'zzz', 'aaa', 'qqq', 'luci', 'test1', 'test2', 'tcpdump'];

let wishes = 0;
const nextWish = () => {
  const number = ++wishes;
  return PACKAGES.filter((_, bit) => number & (1 << bit));
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ imageMaker: patientImageMaker() });
});
afterAll(async () => {
  gate.resolve();
  await server.close();
});

async function run(client: string, tamper: (passing: Passing) => void): Promise<Downloaded> {
  gate = Promise.withResolvers<void>();
  let answers = 0;
  const proxy = await tamperingProxy(server.url, (passing) => {
    if (isBuild(passing) && passing.method !== 'OPTIONS' && ++answers === 2) gate.resolve();
    tamper(passing);
  });
  try {
    return await (CLIENTS[client] as (typeof CLIENTS)[string])(proxy.url, server.upstream.url, nextWish());
  } finally {
    gate.resolve();
    await proxy.close();
  }
}

const isBuild = ({ path }: Passing) => path.startsWith('/api/v1/build');
const isStore = ({ path }: Passing) => path.startsWith('/store/');
const isUnder = (passing: Passing, part: string) => passing.path.includes(part);

/** Mistakes of a server for rows of docs/contract.md §9, and how the client reacts. */
const FAULTS: readonly (readonly [row: string, client: string, tamper: (passing: Passing) => void, says: string | RegExp])[] = [
  ['1 compressed unasked', 'owut', (p) => p.headers.push(['content-encoding', 'gzip']), 'compressed although nobody asked'],
  ['2 no status in the body', 'owut', (p) => isBuild(p) && changeJson(p, (body) => delete body['status']), 'status is no integer'],
  [
    '2 status as a word',
    'script',
    (p) => isBuild(p) && changeJson(p, (body) => Object.assign(body, { status: 'done' })),
    'status is no integer',
  ],
  [
    '3 no request in the result',
    'owut',
    (p) => isBuild(p) && p.status === 200 && changeJson(p, (body) => delete body['request']),
    'request is no object',
  ],
  ['4 no step in HEAD', 'owut', (p) => isBuild(p) && dropHeader(p, 'x-imagebuilder-status'), 'queued - 0 ahead'],
  ['5 no length of the image', 'auc', (p) => isStore(p) && dropHeader(p, 'content-length'), 'file size mismatch'],
  [
    '6 image at an URL with a query',
    'auc',
    (p) => {
      if (!isStore(p) || p.path.includes('?')) return;
      p.status = 302;
      p.headers.push(['location', `${p.path}?X-Amz-Signature=0`]);
    },
    'image download failed',
  ],
  [
    '6 redirect by 308',
    'auc',
    (p) => {
      if (!isStore(p)) return;
      p.status = 308;
      p.headers.push(['location', `/store/other${p.path}`]);
    },
    'image download failed: 308',
  ],
  [
    '7 long bin_dir',
    'auc',
    (p) => isBuild(p) && changeJson(p, (body) => Object.assign(body, { bin_dir: 'x'.repeat(200) })),
    'URL is cut off',
  ],
  ['8 no CORS on the store', 'luci', (p) => isStore(p) && dropHeader(p, 'access-control-allow-origin'), '0 Access-Control-Allow-Origin'],
  ['8 CORS twice', 'selector', (p) => p.headers.push(['access-control-allow-origin', '*']), '2 Access-Control-Allow-Origin'],
  [
    '8 no preflight of polls',
    'selector',
    (p) => {
      if (p.method === 'OPTIONS' && isUnder(p, '/build/')) p.status = 405;
    },
    /preflight of GET .*: 405/,
  ],
  [
    '8 no content-type allowed',
    'luci',
    (p) => p.method === 'OPTIONS' && dropHeader(p, 'access-control-allow-headers'),
    'content-type is not allowed',
  ],
  [
    '9 queries refused',
    'luci',
    (p) => {
      if (p.path.includes('?') && isStore(p)) p.status = 400;
    },
    'Error: 400',
  ],
  [
    '10 a step that LuCI does not know',
    'luci',
    (p) =>
      isBuild(p) &&
      p.status === 202 &&
      changeJson(p, (body) => {
        delete body['queue_position'];
        body['imagebuilder_status'] = 'container_setup';
      }),
    'no text for container_setup',
  ],
  [
    '13 overview gone',
    'luci',
    (p) => {
      if (p.path.startsWith('/api/overview')) p.status = 404;
    },
    '/api/overview',
  ],
  [
    '14 image of another revision than the index',
    'owut',
    (p) => {
      if (isBuild(p) && p.status === 200) changeJson(p, (body) => Object.assign(body, { manifest: {} }));
    },
    'version mismatch',
  ],
  [
    'auc: enabled as a word',
    'auc',
    (p) => {
      if (isUnder(p, 'branches.json')) p.body = Buffer.from(p.body.toString().replaceAll('"enabled":true', '"enabled":"true"'));
    },
    'branch dropped',
  ],
  [
    'auc: metadata_version as text',
    'auc',
    (p) => isUnder(p, 'carambola2.json') && changeJson(p, (body) => Object.assign(body, { metadata_version: '1' })),
    'was skipped',
  ],
  [
    'selector: detail as a list',
    'selector',
    (p) => {
      if (isBuild(p) && p.method === 'POST') {
        p.status = 422;
        p.body = Buffer.from('{"detail":[{"msg":"x"}]}');
      }
    },
    'detail is no string',
  ],
  [
    'selector: an error that is no JSON',
    'selector',
    (p) => {
      if (isBuild(p) && p.method === 'POST') {
        p.status = 500;
        p.body = Buffer.from('Internal Server Error');
      }
    },
    'promise rejected',
  ],
  [
    'luci: overload',
    'luci',
    (p) => {
      if (isBuild(p) && p.method === 'POST') p.status = 529;
    },
    'polls for ever in silence',
  ],
  [
    'another image than announced',
    'script',
    (p) => {
      if (isStore(p)) p.body = Buffer.from('else');
    },
    'sha256 mismatch',
  ],
];

describe('the emulated clients', () => {
  it.each(Object.keys(CLIENTS))('%s gets its image where nothing is wrong', async (client) => {
    expect((await run(client, () => undefined)).bytes.length).toBeGreaterThan(0);
  });

  it.each(FAULTS)('notice: %s (%s)', async (_, client, tamper, says) => {
    await expect(run(client, tamper).then(({ name }) => name)).rejects.toThrow(says);
  });
});
