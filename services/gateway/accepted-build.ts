/** The answer of the build service to a build request, with the hash of the build if the request was accepted (202). */
export interface Answered {
  readonly response: Response;
  readonly hash?: string;
}

/** Passes a client's build request on to the build service. */
export type Submit = () => Promise<Answered>;

/** The most bytes that are read of an accepting answer, which has a few hundred. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Reads an accepting answer, which is short, to find the build it is about; every other answer is left as it is. */
export async function acceptedBuild(response: Response): Promise<Answered> {
  if (response.status !== 202) return { response };
  const bytes = new Uint8Array(await response.arrayBuffer());
  const hash = bytes.length <= MAX_ANSWER_BYTES ? hashIn(new TextDecoder().decode(bytes)) : undefined;
  return { response: new Response(bytes, response), ...(hash !== undefined && { hash }) };
}

function hashIn(text: string): string | undefined {
  const [, hash] = /"request_hash":\s*"([0-9a-f]{64})"/.exec(text) ?? [];
  return hash;
}
