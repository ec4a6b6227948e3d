import type { World } from '../world.ts';

/**
 * Checks that an object of an attempt is never written again with other content (I4). The published result alone is
 * replaced, by that of the next build.
 */
export function watchObjects(world: World): void {
  world.onPut((key, text, before) => {
    if (key.startsWith('api/')) return;
    if (before !== undefined && before !== text)
      world.breaks('I4', `${key} is written again with other content (${world.caller().processName})`);
  });
}
