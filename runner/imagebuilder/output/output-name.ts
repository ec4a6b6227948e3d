const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-';

/** The documents that ImageBuilder writes beside the images. */
const DOCUMENTS = ['profiles.json', 'sha256sums'];

/** Matches the name of a distribution at the start of its ImageBuilder's name. OpenWrt's Makefiles put it before images, too. */
const DISTRIBUTION = /^[a-z0-9][a-z0-9.-]{0,63}?(?=-imagebuilder-)/;

/**
 * Returns whether ImageBuilder gives such a name to a file of BIN_DIR: `openwrt-…` of plain letters, the same with the
 * name of the ImageBuilder's own distribution, or one of its documents.
 */
export function isOutputName(name: string, imagebuilder = ''): boolean {
  const distribution = DISTRIBUTION.exec(imagebuilder)?.[0] ?? 'openwrt';
  const isOurs = name.startsWith('openwrt-') || name.startsWith(`${distribution}-`);
  return DOCUMENTS.includes(name) || (isOurs && name.length <= 255 && [...name].every((letter) => LETTERS.includes(letter)));
}
