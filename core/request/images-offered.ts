import type { Profile } from '#core/catalogue/catalogue.ts';

/**
 * Returns false for a device of which upstream lists an initramfs and no other image: ImageBuilder would make none
 * either. A profile without a readable list of images, or with an empty one, says nothing of them, and the build decides.
 */
export function offersImages({ raw }: Pick<Profile, 'raw'>): boolean {
  const { images } = raw;
  return !Array.isArray(images) || images.length === 0 || images.some((image) => !isInitramfs(image));
}

function isInitramfs(image: unknown): boolean {
  if (typeof image !== 'object' || image === null) return false;
  const { filesystem, name } = image as Readonly<Record<string, unknown>>;
  return filesystem === 'initramfs' || (typeof name === 'string' && name.includes('-initramfs'));
}
