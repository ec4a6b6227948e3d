import type { SQLOutputValue } from 'node:sqlite';
import type { Build } from '#core/build/build.ts';

/** The columns that `buildOf` reads. */
export const BUILD_COLUMNS = 'ticket, body';

/** A build as databases store it: `previousBinDirs` has the name `left` there, which earlier versions read. */
type Stored = Omit<Build, 'previousBinDirs'> & { left?: Build['previousBinDirs'] };

/** Returns the build of a row. The ticket has a column of its own, so that no write of a build can change it. */
export function buildOf(row: Record<string, SQLOutputValue>): Build {
  const { left, ...build } = JSON.parse(String(row['body'])) as Stored;
  return { ...build, ...(left !== undefined && { previousBinDirs: left }), ticket: Number(row['ticket']) } as Build;
}

/** Returns what is stored of a build: all but the ticket. */
export function bodyOf(build: Build): string {
  const { ticket: _, previousBinDirs: left, ...body } = build;
  return JSON.stringify({ ...body, ...(left !== undefined && { left }) } satisfies Stored);
}
