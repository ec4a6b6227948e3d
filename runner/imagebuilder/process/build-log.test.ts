import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { buildLog } from './build-log.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

async function logged(maxBytes: number, ...chunks: string[]): Promise<{ text: string; lines: string[] }> {
  const path = join(directory, 'build.log');
  const lines: string[] = [];
  const log = buildLog(path, maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) log.output(Buffer.from(chunk));
  log.line('the end');
  await log.close();
  return { text: await readFile(path, 'utf8'), lines };
}

it('has every line, however the output is split', async () => {
  const { text, lines } = await logged(1_000, 'a\nb', 'c\n', '\nd');
  expect(text).toBe('a\nbc\n\nd\nthe end\n');
  expect(lines).toEqual(['a', 'bc', '', 'd', 'the end']);
});

it('ends with a note at the limit of bytes', async () => {
  expect((await logged(4, 'a\nb\nc\nd\n')).text).toBe('a\nb\n[log too long, cut here]\n');
});

it('of eight million line ends has no more lines than a person could read', async () => {
  const { text, lines } = await logged(32 * 1024 * 1024, ...Array.from({ length: 128 }, () => '\n'.repeat(64 * 1024)));
  expect(lines).toHaveLength(100_001);
  expect(lines.at(-1)).toBe('[log too long, cut here]');
  expect(text.split('\n')).toHaveLength(100_002);
});
