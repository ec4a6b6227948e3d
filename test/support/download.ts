import { createHash } from 'node:crypto';

/** The fields of a finished build's answer that the download needs. */
export interface Finished {
  readonly bin_dir: string;
  readonly files: readonly { name: string; size: number; sha256: string }[];
  readonly images: readonly { name: string; sha256: string }[];
}

/**
 * Downloads every file of a finished build and returns the contents by name. Throws if a file differs from the answer's
 * description of it (I3).
 */
export async function downloadAll(url: string, result: Finished): Promise<Record<string, Buffer>> {
  const contents: Record<string, Buffer> = {};
  for (const { name, size, sha256 } of result.files) {
    const response = await fetch(`${url}/store/${result.bin_dir}/${name}`);
    const content = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${name}: ${response.status}`);
    if (content.length !== size || createHash('sha256').update(content).digest('hex') !== sha256)
      throw new Error(`${name} is not what was announced`);
    contents[name] = content;
  }
  for (const { name, sha256 } of result.images)
    if (result.files.find((file) => file.name === name)?.sha256 !== sha256)
      throw new Error(`image ${name} has another sha256 than its file`);
  if (result.images.length === 0) throw new Error('no image');
  return contents;
}
