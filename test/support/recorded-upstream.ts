import { createHash } from 'node:crypto';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { fixtureOf, kernelOf, type RecordedWorld } from './recorded-worlds.ts';

export interface RecordedTarget {
  readonly world: RecordedWorld;
  readonly version: string;
  readonly target: string;
}

export interface RecordedUpstream extends HttpServer {
  /** The files, by path; a test may change them. */
  readonly files: Map<string, Buffer>;
  /** The paths that were asked for. */
  readonly requests: string[];
}

/**
 * Serves recorded worlds as upstream would, each as one target of a version, without ImageBuilders: requests can be
 * prepared, and not built.
 */
export async function serveRecordedWorlds(targets: readonly RecordedTarget[]): Promise<RecordedUpstream> {
  const files = new Map<string, Buffer>();
  const put = (path: string, body: string | Buffer) => files.set(path, Buffer.from(body));
  const targetsOf = new Map<string, Record<string, string>>();
  for (const one of targets) {
    layOut(one, put);
    targetsOf.set(one.version, { ...targetsOf.get(one.version), [one.target]: one.world.arch });
  }
  for (const [version, listed] of targetsOf) put(`releases/${version}/.targets.json`, JSON.stringify(listed));
  put('.versions.json', JSON.stringify({ stable_version: targets[0]?.version, versions_list: [...targetsOf.keys()] }));
  const requests: string[] = [];
  const server = await startHttpServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    requests.push(path);
    const file = files.get(path);
    response.statusCode = file === undefined ? 404 : 200;
    response.end(file);
  });
  return { ...server, files, requests };
}

function layOut({ world, version, target }: RecordedTarget, put: (path: string, body: string | Buffer) => void): void {
  const { arch, indexes, default_packages, profiles, manager } = world;
  const kernel = kernelOf(world);
  const directory = `releases/${version}/targets/${target}`;
  const ofTarget = new Map<string, string | Buffer>();
  const profileOf = (id: string, device_packages: readonly string[]) => ({
    device_packages,
    supported_devices: [id],
    titles: [],
    images: [],
  });
  ofTarget.set(
    'profiles.json',
    JSON.stringify({
      arch_packages: arch,
      default_packages,
      linux_kernel: kernel,
      version_code: 'r1-recorded',
      profiles: Object.fromEntries(Object.entries(profiles).map(([id, own]) => [id, profileOf(id, own)])),
    }),
  );
  const modules = `kmods/${kernel.version}-${kernel.release}-${kernel.vermagic}`;
  const feeds: string[] = [];
  for (const index of indexes) {
    const name = index.slice(index.lastIndexOf('/') + 1, index.indexOf('.'));
    if (name === 'imagebuilder') continue; // upstream does not serve the packages of the ImageBuilder itself
    const own = { target: 'packages', core: 'packages', kmods: modules }[name];
    const file = manager === 'apk' ? 'packages.adb' : 'Packages.gz';
    if (own !== undefined) ofTarget.set(`${own}/${file}`, fixtureOf(index));
    else {
      feeds.push(name);
      put(`releases/${version}/packages/${arch}/${name}/${file}`, fixtureOf(index));
    }
  }
  put(`releases/${version}/packages/${arch}/feeds.conf`, feeds.map((name) => `src-git ${name} https://example.org/${name}.git\n`).join(''));
  const digests = [...ofTarget].map(([path, body]) => `${createHash('sha256').update(body).digest('hex')} *${path}\n`);
  for (const [path, body] of ofTarget) put(`${directory}/${path}`, body);
  put(`${directory}/sha256sums`, digests.join(''));
}
