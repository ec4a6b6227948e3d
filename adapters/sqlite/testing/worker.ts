import type { QueuedBuild, RunningBuild } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { sqliteBuildQueue } from '../build-queue.ts';
import { sqliteBuildTable } from '../build-table.ts';
import { openSqlite } from '../open-sqlite.ts';
import { sqliteRecordStore } from '../record-store.ts';

/** The work of one test process on its database file (`processes.ts`). Each kind answers a list. */
export type Work =
  /** Claims each build `times` times at once, and answers the hashes that it won. */
  | { readonly kind: 'claim'; readonly claims: readonly { build: QueuedBuild; order: BuildOrder }[]; readonly times: number }
  /** Tries to move each queued build to its running build, and answers the hashes that it took. */
  | { readonly kind: 'take'; readonly builds: readonly RunningBuild[] }
  | { readonly kind: 'send'; readonly hashes: readonly RequestHash[] }
  /** Receives without acknowledging. */
  | { readonly kind: 'receive'; readonly count: number; readonly visibilitySeconds: number }
  /** Receives and acknowledges messages until none has come for `quietMs`. */
  | { readonly kind: 'drain'; readonly quietMs: number }
  /** Adds one to a shared number, `times` times. */
  | { readonly kind: 'count'; readonly key: string; readonly times: number };

const db = openSqlite(process.argv[2] as string);
const table = sqliteBuildTable(db);
const queue = sqliteBuildQueue(db);
const records = sqliteRecordStore(db);

async function claimAll({ claims, times }: Work & { kind: 'claim' }): Promise<string[]> {
  const won: string[] = [];
  for (const { build, order } of claims) {
    const answers = await Promise.all(Array.from({ length: times }, () => table.claim(build, order, new Date(build.queuedAt))));
    for (const answer of answers) if (answer.won) won.push(build.hash);
  }
  return won;
}

async function takeAll({ builds }: Work & { kind: 'take' }): Promise<string[]> {
  const taken: string[] = [];
  for (const to of builds) {
    const from = await table.get(to.hash);
    if (from?.state === 'queued' && (await table.transition(from, to)).moved) taken.push(to.hash);
  }
  return taken;
}

async function drain(quietMs: number): Promise<string[]> {
  const hashes: string[] = [];
  for (;;) {
    const message = await queue.receive({ visibilitySeconds: 60, signal: AbortSignal.timeout(quietMs) });
    if (message === undefined) return hashes;
    hashes.push(message.hash);
    await queue.acknowledge(message);
  }
}

async function receive(count: number, visibilitySeconds: number): Promise<string[]> {
  const hashes: string[] = [];
  while (hashes.length < count) {
    const message = await queue.receive({ visibilitySeconds, signal: new AbortController().signal });
    if (message) hashes.push(message.hash);
  }
  return hashes;
}

async function count(key: string, times: number): Promise<string[]> {
  for (let done = 0; done < times; ) {
    const record = await records.get(key);
    if (await records.replace(key, String(Number(record?.body ?? 0) + 1), record?.tag)) done += 1;
  }
  return [];
}

async function perform(work: Work): Promise<string[]> {
  switch (work.kind) {
    case 'claim':
      return claimAll(work);
    case 'take':
      return takeAll(work);
    case 'send':
      for (const hash of work.hashes) await queue.send({ hash, correlationId: 'worker' });
      return [...work.hashes];
    case 'receive':
      return receive(work.count, work.visibilitySeconds);
    case 'drain':
      return drain(work.quietMs);
    case 'count':
      return count(work.key, work.times);
  }
}

process.on('message', (work: Work) => {
  void perform(work).then((answer) => process.send?.(answer));
});
process.send?.('open');
