import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { textOf } from '#core/package-solver/index/index-package.ts';
import { fixtureOf, type RecordedWorld } from '#test/support/recorded-worlds.ts';

/** What a real package manager did with words: `name version` of each package, or nothing if it failed. */
export type RealAnswer = readonly string[] | undefined;

const run = promisify(execFile);
const INSTALLING = /\) Installing (\S+) \((\S+)\)/;

/**
 * Returns a function that asks a real apk (`ASU_APK` names the program) for a world over the indexes of a recording. It
 * simulates, so it needs no packages.
 */
export async function realApk(apk: string, world: RecordedWorld, directory: string) {
  const root = join(directory, 'root');
  await mkdir(root, { recursive: true });
  const places = await Promise.all(
    world.indexes.map(async (index, at) => {
      const place = join(directory, String(at));
      await mkdir(place);
      await writeFile(join(place, 'packages.adb'), fixtureOf(index));
      return `file://${place}/packages.adb`;
    }),
  );
  const repositories = join(directory, 'repositories');
  await writeFile(repositories, `${places.join('\n')}\n`);
  const common = ['--root', root, '--arch', world.arch, '--allow-untrusted', '--no-network', '--no-cache'];
  await run(apk, [...common, '--repositories-file', '/dev/null', '--initdb', 'add']);
  return async (relations: readonly Parameters<typeof textOf>[0][]): Promise<RealAnswer> => {
    try {
      const { stdout } = await run(apk, [...common, '--repositories-file', repositories, 'add', '--simulate', ...relations.map(textOf)]);
      return stdout
        .split('\n')
        .flatMap((line) => {
          const [, name, version] = INSTALLING.exec(line) ?? [];
          return name === undefined ? [] : [`${name} ${version}`];
        })
        .sort();
    } catch (error) {
      if (typeof (error as { code?: unknown }).code === 'number') return undefined;
      throw error;
    }
  };
}
