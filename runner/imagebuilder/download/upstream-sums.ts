import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { collectedBytes } from '#lib/collected-bytes.ts';
import { parseUsignSignature, type UsignPublicKey, verifyUsign } from '#runner/signing/usign.ts';

/**
 * `checksum`: SHA-256 only. `known`: besides, a signature of a known key must be right; a missing one and one of an
 * unknown key count as checksum only. `require`: a right signature of a known key, or nothing.
 */
export type VerifyMode = 'require' | 'known' | 'checksum';

export interface SumsSource {
  readonly fetch: typeof fetch;
  readonly verify: VerifyMode;
  readonly keys: readonly UsignPublicKey[];
}

/** For one small file; the tarball itself has no such limit. */
const TIMEOUT_MS = 30_000;

/** Real ones are below 1 MB. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface FetchedSums {
  readonly sums: Buffer;
  /** Id of the known key whose signature is good; `undefined`: there was none, or nobody looked. */
  readonly signedBy: string | undefined;
}

/** `sha256sums` of a target directory, fetched and, as `verify` says, its signature checked. Throws `InfrastructureFailure`. */
export async function fetchSums(
  directory: string,
  source: SumsSource,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<FetchedSums> {
  const url = `${directory}/sha256sums`;
  const sums = await fetchSmall(url, source.fetch, signal);
  if (sums === undefined) throw new InfrastructureFailure(`${url} is not there (404)`);
  if (source.verify === 'checksum') return { sums, signedBy: undefined };
  const signature = await fetchSmall(`${url}.sig`, source.fetch, signal);
  return { sums, signedBy: checkSignature(url, sums, signature?.toString('utf8'), source, log) };
}

/** `sha256sums` is there, but not from whom it should be: nothing is built with what it lists, cached or not. */
export class UntrustedSumsFailure extends InfrastructureFailure {}

/**
 * Throws `UntrustedSumsFailure` where the mode does not let the signature pass; else logs what it is worth, and answers the id of
 * the known key of a good one.
 */
function checkSignature(
  url: string,
  sums: Uint8Array,
  text: string | undefined,
  { verify, keys }: Pick<SumsSource, 'verify' | 'keys'>,
  log: (line: string) => void,
): string | undefined {
  const signature = text === undefined ? undefined : parseUsignSignature(text);
  const key = keys.find(({ id }) => id === signature?.id);
  if (signature !== undefined && key !== undefined) {
    if (!verifyUsign(sums, signature, key)) throw new UntrustedSumsFailure(`${url}: the signature of key ${key.id} is wrong`);
    log(`Signature of sha256sums: good, key ${key.id}`);
    return key.id;
  }
  const problem =
    signature !== undefined
      ? `signed by the unknown key ${signature.id}`
      : text === undefined
        ? 'not signed'
        : 'its signature is unreadable';
  if (verify === 'require') throw new UntrustedSumsFailure(`${url}: ${problem}, and ASU_VERIFY=require`);
  log(`Signature of sha256sums: ${problem}; checked by SHA-256 only`);
  return undefined;
}

/** `undefined`: 404. Anything but 200 with a body of bearable size is an `InfrastructureFailure`. */
export async function fetchSmall(url: string, doFetch: typeof fetch, signal: AbortSignal): Promise<Buffer | undefined> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await doFetch(url, { signal: bounded, headers: { 'accept-encoding': 'identity' } });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new InfrastructureFailure(`${url}: HTTP ${response.status}`);
    }
    if (response.headers.get('content-type')?.includes('text/html')) {
      await response.body?.cancel();
      throw new InfrastructureFailure(`${url}: a web page instead of the file`);
    }
    const collected = collectedBytes();
    for await (const part of response.body ?? []) {
      if (collected.size + part.length > MAX_BYTES) throw new InfrastructureFailure(`${url}: larger than ${MAX_BYTES} bytes`);
      collected.add(part);
    }
    return collected.bytes();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InfrastructureFailure) throw error;
    throw new InfrastructureFailure(`${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** What went wrong with a fetch: its own message says only "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error
    ? error.cause.message || String(('code' in error.cause && error.cause.code) || error.message)
    : error.message;
}
