import { type Build, isStill } from './build.ts';
import type { BuildTable } from './ports.ts';

type MoveBuildTable = Pick<BuildTable, 'get' | 'transition'>;

/**
 * Moves a build on, and finds out whether it moved when the table's answer gets lost: it reads the row, and repeats the
 * write once if the row has not moved. Throws the table's error when the row cannot be read: then the write may still
 * happen.
 */
export async function moveBuild(builds: MoveBuildTable, from: Build, to: Build): ReturnType<BuildTable['transition']> {
  try {
    return await builds.transition(from, to);
  } catch (error) {
    const current = await builds.get(from.hash).catch(() => {
      throw error;
    });
    if (current === undefined || !isStill(from, current)) return learned(to, current);
    const again = await builds.transition(from, to);
    return again.moved ? again : learned(to, again.current);
  }
}

/** Returns whether the write whose answer got lost succeeded: it did if the row is in the stay that `to` begins. */
const learned = (to: Build, current: Build | undefined) => ({ moved: current !== undefined && isStill(to, current), current });
