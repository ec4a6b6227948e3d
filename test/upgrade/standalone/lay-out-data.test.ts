import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { dumpDatabase } from '../generate/dump-database.ts';
import { layOutData } from '../lay-out/lay-out-data.ts';
import { recordings } from '../recordings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let dataDir: string;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
});

/** The text with every day and every time in milliseconds masked. */
const withoutTimes = (sql: string) => sql.replace(/\b\d{4}-\d{2}-\d{2}(?=['T])/g, '<day>').replace(/\b1[789]\d{11}\b/g, '<milliseconds>');

for (const recording of recordings('standalone'))
  it.each(['2024-02-29T00:30:00.000Z', recording.facts.recordedAt, '2032-02-29T23:59:59.999Z'])(
    `lays out the data of ${recording.name} at %s with no change but in its times, which are recent`,
    async (time) => {
      const now = new Date(time);
      await layOutData(recording, dataDir, recording.facts.upstreamUrl, now);
      const db = new DatabaseSync(join(dataDir, 'asu.db'));
      const laidOut = dumpDatabase(db);
      const enqueued = db.prepare(`SELECT body ->> '$.enqueuedAt' AS at FROM builds`).all();
      const kept = db.prepare(`SELECT expires_at FROM builds WHERE state = 'failed'`).all();
      db.close();

      expect(withoutTimes(laidOut)).toBe(withoutTimes(await readFile(join(recording.directory, 'asu.sql'), 'utf8')));
      const ages = enqueued.map(({ at }) => now.getTime() - Date.parse(String(at)));
      expect(Math.min(...ages)).toBeGreaterThanOrEqual(HOUR_MS);
      expect(Math.max(...ages)).toBeLessThan(DAY_MS + 2 * HOUR_MS);
      for (const { expires_at: expiresAt } of kept) expect(Date.parse(String(expiresAt))).toBeGreaterThan(now.getTime() + DAY_MS);
    },
  );
