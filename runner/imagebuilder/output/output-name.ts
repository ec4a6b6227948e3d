const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-';

/** The documents that ImageBuilder writes beside the images. */
const DOCUMENTS = ['profiles.json', 'sha256sums'];

/**
 * Returns whether ImageBuilder gives such a name to a file of BIN_DIR: `openwrt-…` of plain letters, or one of its
 * documents.
 */
export const isOutputName = (name: string): boolean =>
  DOCUMENTS.includes(name) || (name.startsWith('openwrt-') && name.length <= 255 && [...name].every((letter) => LETTERS.includes(letter)));
