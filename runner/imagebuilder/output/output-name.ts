const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-';

/** Documents that ImageBuilder writes beside the images. */
const DOCUMENTS = ['profiles.json', 'sha256sums'];

/** Whether ImageBuilder gives a file of BIN_DIR such a name: `openwrt-…` of plain letters, or one of its documents. */
export const isOutputName = (name: string): boolean =>
  DOCUMENTS.includes(name) || (name.startsWith('openwrt-') && name.length <= 255 && [...name].every((letter) => LETTERS.includes(letter)));
