import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { collectAtMost } from '#lib/collected-bytes.ts';
import { parseUsignSignature, type UsignPublicKey, verifyUsign } from '#runner/signing/usign.ts';

/**
 * How strictly signatures are checked. `checksum`: SHA-256 only. `known`: a signature of a known key must also be
 * right, and a missing one or one of an unknown key counts as checksum only. `require`: only a right signature of a
 * known key is accepted.
 */
export type VerifyMode = 'require' | 'known' | 'checksum';

export interface SumsSource {
  readonly fetch: typeof fetch;
  readonly verify: VerifyMode;
  readonly keys: readonly UsignPublicKey[];
}

/** The time limit on one small file. The tarball itself has no such limit. */
const TIMEOUT_MS = 30_000;

/** The limit on small files. Real ones are below 1 MB. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface FetchedSums {
  readonly sums: Buffer;
  /** The id of the known key whose signature is good; `undefined` when there was none, or it was not checked. */
  readonly signedBy: string | undefined;
}

/**
 * Fetches the `sha256sums` of a target directory, and checks its signature as `verify` demands. Throws
 * `InfrastructureFailure`.
 */
export async function fetchSums(
  directory: string,
  source: SumsSource,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<FetchedSums> {
  const url = `${directory}/sha256sums`;
  const sums = await fetchSmall(url, source.fetch, signal);
  if (sums === undefined) throw new AbsentSumsFailure(`${url} is not there (404)`);
  if (source.verify === 'checksum') return { sums, signedBy: undefined };
  const signature = await fetchSmall(`${url}.sig`, source.fetch, signal);
  return { sums, signedBy: checkSignature(url, sums, signature?.toString('utf8'), source, log) };
}

/** Thrown when upstream answers that there is no `sha256sums`: it lists no ImageBuilder any more. */
export class AbsentSumsFailure extends InfrastructureFailure {}

/** Thrown when `sha256sums` lacks the signature that it needs: nothing is built with what it lists, cached or not. */
export class UntrustedSumsFailure extends InfrastructureFailure {}

/**
 * Throws `UntrustedSumsFailure` when the mode does not accept the signature. Otherwise it logs the result, and returns
 * the id of the known key of a good signature.
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

/**
 * Returns a small file, or `undefined` for 404. Throws `InfrastructureFailure` for anything but 200 with a body of
 * acceptable size.
 */
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
    return await collectAtMost(response.body, MAX_BYTES, () => new InfrastructureFailure(`${url}: larger than ${MAX_BYTES} bytes`));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InfrastructureFailure) throw error;
    throw new InfrastructureFailure(`${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Returns the cause of a failed fetch, because its own message says only "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error
    ? error.cause.message || String(('code' in error.cause && error.cause.code) || error.message)
    : error.message;
}
