import { BUILD_STEPS } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { type RequestHash, sha256 } from '#core/request/request-hash.ts';
import type { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import type { Fate } from './requests.ts';

export interface SimulatedDisk {
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface SimulatedMakerDeps {
  readonly process: SimulatedProcess;
  readonly random: Random;
  readonly disk: SimulatedDisk;
  /** Whether this try of a build fails through no fault of its request. */
  readonly isMachineAtFault: (hash: RequestHash) => boolean;
}

const LONGEST_STEP_SECONDS = 30;
const NAMES = ['openwrt-squashfs-sysupgrade.bin', 'openwrt.manifest'];

/**
 * An ImageMaker that takes simulated time and makes small files. How a build ends is the request's fate, which its
 * packages name, or chance.
 */
export function simulatedMaker({ process, random, disk, isMachineAtFault }: SimulatedMakerDeps): ImageMaker {
  return {
    make: async (order, binDir, progress, signal) => {
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => aborted.reject(signal.reason));
      aborted.promise.catch(() => undefined);
      for (const step of BUILD_STEPS) {
        progress.enter(step);
        await Promise.race([process.pause(random.between(0.1, LONGEST_STEP_SECONDS) * 1000), aborted.promise]);
        signal.throwIfAborted();
      }
      const logPath = `${process.name}/${binDir}/build.log`;
      await disk.write(logPath, `log of ${binDir}`);
      const fate = order.request.packages.at(-1) as Fate;
      if (fate === 'poison') {
        process.kill();
        return new Promise(() => undefined);
      }
      if (fate === 'bad') throw new BuildFailure('the packages clash', { logPath });
      if (isMachineAtFault(order.requestHash)) throw new InfrastructureFailure('no space left on device', { evidence: { logPath } });
      return outputOf(order, binDir, `${process.name}/${binDir}`, logPath, disk);
    },
  };
}

async function outputOf(order: BuildOrder, binDir: string, directory: string, logPath: string, disk: SimulatedDisk): Promise<BuildOutput> {
  const files = NAMES.map((name) => {
    const text = `${name} of ${binDir}`;
    return { name, path: `${directory}/${name}`, size: text.length, sha256: sha256(text), text };
  });
  for (const { path, text } of files) await disk.write(path, text);
  const [image] = files;
  return {
    files: files.map(({ text: _, ...file }) => file),
    metadata: { version_number: order.request.version, source_date_epoch: 1_700_000_000 },
    profile: { images: [{ name: image?.name ?? '', type: 'sysupgrade', sha256: image?.sha256 ?? '' }] },
    manifest: {},
    buildCommand: ['make', 'image'],
    packages: order.request.packages,
    stdout: '',
    stderr: '',
    durations: {},
    digests: {},
    logPath,
    reproduce: '',
    dispose: async () => {
      for (const { path } of files) await disk.remove(path);
    },
  };
}
