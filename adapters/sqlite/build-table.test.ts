import { describe, expect, it } from 'vitest';
import type { RequestHash } from '#core/request/request-hash.ts';
import { buildTableContract } from '#test/contracts/build-table.ts';
import { buildTableReadersContract } from '#test/contracts/build-table-readers.ts';
import { at, freshBinDir, freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';
import { freshFile, startProcesses } from './testing/processes.ts';

buildTableContract('sqlite', () => sqliteBuildTable(openSqlite(':memory:')));

buildTableReadersContract('sqlite, two connections to one file', async () => {
  const file = await freshFile();
  return { table: sqliteBuildTable(openSqlite(file)), reader: sqliteBuildTable(openSqlite(file)), reads: 'strong' };
});

const claimsOf = (hashes: readonly RequestHash[], claimer: string) =>
  hashes.map((hash) => ({ build: { ...queued(hash), correlationId: claimer }, order: sampleOrder(hash, [claimer]) }));

describe('a build table in a file that four processes open', () => {
  it('has one winner per hash when each submits it 50 times, and stores the order of the winner', async () => {
    const file = await freshFile();
    const workers = await startProcesses(file, 4);
    const hashes = Array.from({ length: 20 }, freshHash);
    const wins = await Promise.all(
      workers.map((worker, i) => worker.do({ kind: 'claim', claims: claimsOf(hashes, `worker-${i}`), times: 50 })),
    );
    expect(wins.flat().sort()).toEqual([...hashes].sort());

    const db = openSqlite(file);
    const table = sqliteBuildTable(db);
    const tickets = new Set<number | undefined>();
    for (const hash of hashes) {
      const build = await table.get(hash);
      const winner = `worker-${wins.findIndex((won) => won.includes(hash))}`;
      expect(build?.correlationId).toBe(winner);
      expect(await table.order(hash)).toEqual(sampleOrder(hash, [winner]));
      tickets.add(build?.ticket);
    }
    expect(tickets.size).toBe(hashes.length);
    db.close();
  });

  it('lets one of four runners take each build', async () => {
    const file = await freshFile();
    const workers = await startProcesses(file, 4);
    const db = openSqlite(file);
    const table = sqliteBuildTable(db);
    const hashes = Array.from({ length: 40 }, freshHash);
    for (const hash of hashes) await table.claim(queued(hash), sampleOrder(hash), new Date(0));
    const taken = await Promise.all(
      workers.map((worker, i) => worker.do({ kind: 'take', builds: hashes.map((hash) => running(queued(hash), `worker-${i}`)) })),
    );
    expect(taken.flat().sort()).toEqual([...hashes].sort());
    for (const hash of hashes) {
      const owner = `worker-${taken.findIndex((own) => own.includes(hash))}`;
      expect(await table.get(hash)).toMatchObject({ state: 'building', lease: { owner } });
    }
    db.close();
  });

  it('keeps accepted builds when the process that accepted them is killed', async () => {
    const file = await freshFile();
    const [worker] = await startProcesses(file, 1);
    const hashes = Array.from({ length: 10 }, freshHash);
    expect(await worker?.do({ kind: 'claim', claims: claimsOf(hashes, 'killed'), times: 1 })).toEqual(hashes);
    await worker?.kill();
    const db = openSqlite(file);
    const table = sqliteBuildTable(db);
    for (const hash of hashes) {
      expect(await table.get(hash)).toMatchObject({ state: 'queued', correlationId: 'killed' });
      expect(await table.order(hash)).toEqual(sampleOrder(hash, ['killed']));
    }
    db.close();
  });

  it('has everything after a restart, and continues the ticket numbers', async () => {
    const file = await freshFile();
    const [first, second, third] = [freshHash(), freshHash(), freshHash()];
    const before = openSqlite(file);
    const table = sqliteBuildTable(before);
    const { current } = await table.claim(queued(first), sampleOrder(first), new Date(0));
    const taken = await table.transition(current, running(current, 'a'));
    await table.claim(queued(second), sampleOrder(second), new Date(0));
    before.close();

    const after = openSqlite(file);
    const again = sqliteBuildTable(after);
    expect(await again.get(first)).toEqual(taken.current);
    expect(await again.get(second)).toMatchObject({ state: 'queued', ticket: 2 });
    expect((await again.claim(queued(third), sampleOrder(third), new Date(0))).current.ticket).toBe(3);
    after.close();
  });
});

it('stores the attempts at earlier builds under the name that earlier versions read, and reads it from their rows', async () => {
  const db = openSqlite(':memory:');
  const table = sqliteBuildTable(db);
  const hash = freshHash();
  const previousBinDirs = [freshBinDir(), freshBinDir()];
  await table.claim({ ...queued(hash), previousBinDirs }, sampleOrder(hash), at(0));
  const row = db.prepare('SELECT body FROM builds WHERE hash = ?').get(hash);
  expect(JSON.parse(String(row?.['body']))).toMatchObject({ left: previousBinDirs });
  expect(JSON.parse(String(row?.['body']))).not.toHaveProperty('previousBinDirs');
  expect(await table.get(hash)).toMatchObject({ previousBinDirs });
  db.close();
});
