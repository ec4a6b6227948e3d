import { createHash } from 'node:crypto';
import type { Answer } from './answer-faults.ts';

interface ListedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** No answer came, so that nothing can be said about the file. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** Returns the content of a file; throws an `UnansweredError` when the server is down or in trouble. */
export type ReadFile = (path: string) => Promise<{ readonly status: number; readonly content: Buffer }>;

/** Returns a reader of files over HTTP. */
export const readOver =
  (url: () => string): ReadFile =>
  async (path) => {
    try {
      const response = await fetch(url() + path, { signal: AbortSignal.timeout(60_000) });
      const content = Buffer.from(await response.arrayBuffer());
      if (response.status >= 500) throw new UnansweredError(`${path}: ${response.status}`);
      return { status: response.status, content };
    } catch (error) {
      throw new UnansweredError(`${path}: no answer`, { cause: error });
    }
  };

/**
 * Reads every file of a result, and returns what differs from the answer, from the file `sha256sums` and from the
 * manifest of the answer.
 */
export async function checkFiles(read: ReadFile, body: Answer['body']): Promise<{ files: number; faults: string[] }> {
  const { bin_dir, files = [], images = [] } = body as { bin_dir?: string; files?: ListedFile[]; images?: ListedFile[] };
  const faults: string[] = [];
  const contents = new Map<string, Buffer>();
  for (const { name, size, sha256 } of files) {
    const { status, content } = await read(`/store/${bin_dir}/${name}`);
    if (status !== 200) faults.push(`${name} of ${bin_dir} cannot be read: ${status}`);
    else if (content.length !== size || sha256Of(content) !== sha256) faults.push(`${name} of ${bin_dir} is not what the answer lists`);
    contents.set(name, content);
  }
  for (const { name, sha256 } of images)
    if (files.find((file) => file.name === name)?.sha256 !== sha256) faults.push(`image ${name} of ${bin_dir} is not among its files`);
  if (faults.length === 0) faults.push(...sumFaults(contents), ...manifestFaults(contents, body['manifest']));
  return { files: files.length, faults: faults };
}

const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Returns what differs between the files and the sums that `sha256sums` has of them. */
function sumFaults(contents: ReadonlyMap<string, Buffer>): string[] {
  const sums = contents.get('sha256sums')?.toString() ?? '';
  const listed = [...sums.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)];
  const wrong = listed.filter(([, sum, name = '']) => {
    const content = contents.get(name);
    return content !== undefined && sha256Of(content) !== sum;
  });
  if (listed.length === 0) return ['there is no sha256sums, or nothing is in it'];
  return wrong.map(([, , name]) => `sha256sums has another sum of ${name}`);
}

/** The suffix that a library's name has in the file, and not in the answer: the version of its binary interface. */
const ABI = /^[0-9.]*$/;

/** Returns what differs between the file `.manifest` and the manifest of the answer. */
function manifestFaults(contents: ReadonlyMap<string, Buffer>, manifest: unknown): string[] {
  const [, content] = [...contents].find(([name]) => name.endsWith('.manifest')) ?? [];
  if (content === undefined) return ['there is no manifest among the files'];
  const lines = content.toString().trim().split('\n').filter(Boolean);
  const packages = lines.map((line) => line.split(' - ') as [name: string, version: string]);
  const expected = Object.entries((manifest ?? {}) as Record<string, string>);
  const isThere = ([name, version]: [string, string]) =>
    packages.some(([full, has]) => has === version && full.startsWith(name) && ABI.test(full.slice(name.length)));
  const isSame = expected.length === packages.length && expected.every(isThere);
  return isSame ? [] : ['the file of the manifest has other packages than the answer'];
}
