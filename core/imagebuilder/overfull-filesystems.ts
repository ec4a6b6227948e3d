import { FILESYSTEMS, type Filesystem } from '#core/request/build-request.ts';
import { FEW_BLOCKS, FEW_ERASE_BLOCKS } from './image-errors.ts';

/** A problem as the evidence of a failed build has it. */
type Problem = Readonly<Record<string, unknown>>;

/** The words of mkfs tools that name no image, each with its file system. */
const WORDS: readonly (readonly [RegExp, Filesystem])[] = [
  [FEW_BLOCKS, 'ext4'],
  [FEW_ERASE_BLOCKS, 'ubifs'],
];

/** The longest names first: `jffs2-nand` before `jffs2`. */
const BY_LENGTH = FILESYSTEMS.toSorted((a, b) => b.length - a.length);

/**
 * Returns the root file systems that do not fit their partition or device, if that is all that went wrong: each problem
 * is a root file system of one kind that is too big. ImageBuilder can then make the images of the others. An image that
 * is too big for the flash of its device is no such problem: its root file system may fit other images. `lines` are
 * what make printed.
 */
export function overfullFilesystems(problems: readonly Problem[], lines: readonly string[]): readonly Filesystem[] | undefined {
  const said = WORDS.filter(([words]) => lines.some((line) => words.test(line))).map(([, filesystem]) => filesystem);
  const found = problems.flatMap((problem) => {
    if (problem['code'] !== 'image_too_big' || problem['part'] !== 'rootfs') return [undefined];
    const { image } = problem;
    return typeof image === 'string' ? [filesystemIn(image)] : said.length > 0 ? said : [undefined];
  });
  return found.length > 0 && found.every((filesystem) => filesystem !== undefined) ? [...new Set(found)] : undefined;
}

/** Returns the file system in the name of an image: `openwrt-…-<profile>-ext4-combined.img.gz`. */
const filesystemIn = (image: string): Filesystem | undefined => {
  const places = BY_LENGTH.map((filesystem) => ({ filesystem, at: image.lastIndexOf(`-${filesystem}-`) })).filter(({ at }) => at !== -1);
  return places.toSorted((a, b) => b.at - a.at)[0]?.filesystem;
};

/**
 * Returns the names of the images of a file system that was left out, from those of the images that were made: for each
 * device, ImageBuilder makes the same images of every file system.
 */
export function namesLeftOut(
  images: readonly { readonly name: string; readonly filesystem?: string }[],
  filesystems: readonly Filesystem[],
): string[] {
  const names = images.flatMap(({ name, filesystem }) => {
    const at = filesystem === undefined ? -1 : name.lastIndexOf(`-${filesystem}-`);
    if (filesystem === undefined || at === -1) return [];
    return filesystems.map((other) => `${name.slice(0, at)}-${other}-${name.slice(at + filesystem.length + 2)}`);
  });
  return [...new Set(names)].sort();
}
