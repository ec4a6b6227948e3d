import type { ImagebuilderAbi } from '#core/package-solver/imagebuilder-abi.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import type { RunEvent } from './run-event.ts';

/**
 * Returns a function that notes what a finished build has shown of its ImageBuilder, once in a process. It returns at once;
 * a failure is only reported, and the next build notes it again.
 */
export function abiNoter(
  abi: Pick<ImagebuilderAbi, 'note'>,
  onError: (error: unknown) => void,
): (event: Extract<RunEvent, { type: 'done' }>) => void {
  const noted = boundedMap<true>(1000, () => 1);
  return ({ order: { imagebuilder }, output: { addsAbi } }) => {
    const { sha256 } = imagebuilder;
    if (addsAbi === undefined || noted.get(sha256)) return;
    noted.set(sha256, true);
    abi.note(sha256, addsAbi).catch((error) => {
      noted.delete(sha256);
      onError(error);
    });
  };
}
