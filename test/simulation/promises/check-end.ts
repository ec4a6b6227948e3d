import { MAX_ATTEMPTS } from '#core/build/attempt.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { World } from '../world.ts';
import { type LeftoverExcuses, orphansOf } from './orphans.ts';

/** Checks what must hold after fifteen minutes without faults: I2, I7, I8, and that no object is left behind. */
export function checkEnd(world: World, accepted: ReadonlySet<RequestHash>, excuses: LeftoverExcuses): void {
  const { table, statistics } = world.truth;
  const messages = world.ports.messagesLeft();

  for (const row of table.rows())
    if (row.state === 'queued' || row.state === 'building')
      world.breaks('I2', `${row.hash.slice(0, 6)} is still ${row.state}: ${JSON.stringify(row)}`);
  for (const hash of accepted)
    if (!table.writesOf(hash).some(({ after }) => after?.state === 'done' || after?.state === 'failed' || after?.state === 'cancelled'))
      world.breaks('I2', `${hash.slice(0, 6)} was accepted and has never ended`);

  const { misses, successes, failures, cancelled } = statistics.figures();
  const inFlight = statistics.counted().filter(({ isEnded }) => !isEnded).length;
  if (misses !== successes + failures + cancelled + inFlight || inFlight > 0)
    world.breaks('I7', `${misses} misses, ${successes} successes, ${failures} failures, ${cancelled} cancelled, ${inFlight} in flight`);
  const claims = new Set(
    [...table.hashes()].flatMap((hash) =>
      table.writesOf(hash).flatMap(({ isClaim, after }) => (isClaim && after ? [`${hash} ${after.enqueuedAt}`] : [])),
    ),
  );
  for (const { hash, enqueuedAt } of statistics.counted())
    if (!claims.has(`${hash} ${enqueuedAt}`)) world.breaks('I7', `a build of ${hash.slice(0, 6)} was counted that was never begun`);

  for (const hash of table.hashes())
    for (const { before, after } of table.writesOf(hash))
      if (before?.state === 'building' && after?.state === 'failed' && !after.cached && after.attempt !== MAX_ATTEMPTS)
        world.breaks('I8', `${hash.slice(0, 6)} is given up after ${after.attempt} attempts`);
  if (messages > 0) world.breaks('I8', `${messages} messages are still in the queue`);

  for (const key of orphansOf(world, excuses)) world.breaks('orphans', `${key} belongs to no build`);
}
