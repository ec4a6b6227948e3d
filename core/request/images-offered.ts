import type { Profile } from '#core/catalogue/catalogue.ts';

/**
 * Returns false for a device of which upstream's own build has no image but an initramfs: ImageBuilder would make none
 * either. A profile without a readable list of images counts as one that has them, and the build decides.
 */
export function offersImages({ raw }: Pick<Profile, 'raw'>): boolean {
  const { images } = raw;
  return !Array.isArray(images) || images.some((image) => !isInitramfs(image));
}

function isInitramfs(image: unknown): boolean {
  if (typeof image !== 'object' || image === null) return false;
  const { filesystem, name } = image as Readonly<Record<string, unknown>>;
  return filesystem === 'initramfs' || (typeof name === 'string' && name.includes('-initramfs'));
}
