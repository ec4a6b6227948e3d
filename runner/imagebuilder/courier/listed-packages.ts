import { promisify } from 'node:util';
import { gunzip, inflateRaw } from 'node:zlib';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import { parseApkIndex } from '#core/catalogue/apk-index.ts';
import { apkPackages, type ListedPackage, opkgPackages } from '#core/imagebuilder/package-files.ts';
import type { RepositoryIndex } from '../tree/repository-indexes.ts';

/** The limit on an unpacked index. The largest feed has 15 MB. */
const MAX_UNPACKED = 64 * 1024 * 1024;

/** Returns the packages that an index lists. Throws when the bytes are not an index. */
export async function listedPackages(bytes: Buffer, format: RepositoryIndex['format']): Promise<ListedPackage[]> {
  const options = { maxOutputLength: MAX_UNPACKED };
  if (format === 'adb') {
    const isPacked = bytes.subarray(0, 4).toString('latin1') === 'ADBd';
    const unpacked = isPacked ? await promisify(inflateRaw)(bytes.subarray(4), options) : bytes;
    return inSlices(apkPackages(await inSlices(parseApkIndex(unpacked, { withDepends: true }))));
  }
  const text = format === 'packed' ? await promisify(gunzip)(bytes, options) : bytes;
  return inSlices(opkgPackages(text.toString('utf8')));
}
