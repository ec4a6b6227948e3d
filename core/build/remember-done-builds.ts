import type { RequestHash } from '#core/request/request-hash.ts';
import type { Build } from './build.ts';
import type { BuildTable } from './ports.ts';

/** More than the finished builds that clients ask for at a time; rows are small. */
const MAX_REMEMBERED = 10_000;

/**
 * Returns the same table with finished builds remembered, so that polls of them cost no read. They stay as they are
 * until they expire. Only for a table that no other process writes to.
 */
export function rememberDoneBuilds(table: BuildTable): BuildTable {
  const done = new Map<RequestHash, Build>();
  /** Counted up by every write: a row that was read before a write is not remembered after it. */
  let writes = 0;
  const forget = (hash: RequestHash) => {
    writes += 1;
    done.delete(hash);
  };
  const forgetting = async <T>(hash: RequestHash, write: () => Promise<T>): Promise<T> => {
    forget(hash);
    try {
      return await write();
    } finally {
      forget(hash);
    }
  };
  return {
    get: async (hash, options) => {
      const remembered = done.get(hash);
      if (remembered !== undefined) return remembered;
      const before = writes;
      const build = await table.get(hash, options);
      if (build?.state === 'done' && writes === before) {
        if (done.size >= MAX_REMEMBERED) done.clear();
        done.set(hash, build);
      }
      return build;
    },
    order: table.order,
    claim: (build, ...more) => forgetting(build.hash, () => table.claim(build, ...more)),
    transition: (from, to, options) => forgetting(from.hash, () => table.transition(from, to, options)),
    remove: (from) => forgetting(from.hash, () => table.remove(from)),
  };
}
