import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { chown, lchown, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearSharedPlaces, inSharedPlaces } from './shared-places.ts';

const isRoot = process.getuid?.() === 0;
/** A uid that no other process has where we are root, or our own. */
const UID = isRoot ? 59_099 : (process.getuid?.() ?? 0);

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'asu-shared-'));
});
afterEach(() => rm(place, { recursive: true, force: true }));

async function leave(name: string): Promise<void> {
  await writeFile(join(place, name), 'left');
  await chown(join(place, name), UID, UID);
}

describe('shared places', () => {
  it('are cleared of what belongs to a uid and of nothing else, and each removal is reported', async () => {
    await leave('one');
    await symlink('/etc/passwd', join(place, 'link'));
    await lchown(join(place, 'link'), UID, UID);
    if (isRoot) await writeFile(join(place, 'of-root'), '');
    expect((await inSharedPlaces(UID, [place])).map((path) => path.slice(place.length + 1)).sort()).toEqual(['link', 'one']);
    expect(await clearSharedPlaces(UID, [place, join(place, 'absent')])).toEqual([]);
    expect(await readdir(place)).toEqual(isRoot ? ['of-root'] : []);
  });

  it('hide nothing under a name that is not text', async () => {
    const odd = Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0xff, 0x0a, 0xfe])]);
    mkdirSync(odd);
    writeFileSync(Buffer.concat([odd, Buffer.from('/file')]), 'left');
    await chown(odd, UID, UID);
    await expect(inSharedPlaces(UID, [place])).rejects.toThrow('no text');
    expect(await clearSharedPlaces(UID, [place])).toEqual([]);
    expect(await readdir(place)).toEqual([]);
  });

  it('are listed up to a limit, and cleared within a time limit', async () => {
    for (let at = 0; at < 1001; at++) symlinkSync('nowhere', join(place, String(at)));
    if (isRoot) for (let at = 0; at < 1001; at++) await lchown(join(place, String(at)), UID, UID);
    await expect(inSharedPlaces(UID, [place])).rejects.toThrow('more than 1000 files');
    const left = await clearSharedPlaces(UID, [place], AbortSignal.abort());
    expect(left).toEqual([expect.objectContaining({ reason: 'it takes too long to remove' })]);
    expect(await clearSharedPlaces(UID, [place])).toEqual([]);
  });
});
