import { describe, expect, it } from 'vitest';
import { StorageFullError } from '#core/errors.ts';
import { jsonLog } from '#observe/log.ts';
import { assertReady, withoutDetails } from './checks.ts';

const arn = 'arn:aws:iam::123456789012:role/asu';

describe('withoutDetails', () => {
  const lines: string[] = [];
  const log = jsonLog('error', (line) => lines.push(line));
  const shown = withoutDetails(
    {
      bucket: async () => 'there',
      table: () => Promise.reject(new Error(`${arn} is not authorized`)),
      disk: () => Promise.reject(new StorageFullError('images')),
    },
    log,
  );

  it('shows what a client may read, and writes the rest to the log', async () => {
    await expect(shown['bucket']?.()).resolves.toBe('there');
    await expect(shown['table']?.()).rejects.toThrow(/^cannot be used$/);
    await expect(shown['disk']?.()).rejects.toThrow('disk is full');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'not ready', what: 'table', error: { message: `${arn} is not authorized` } },
      { message: 'not ready', what: 'disk' },
    ]);
  });
});

describe('assertReady', () => {
  it('rejects with the complete error', async () => {
    await assertReady({ table: async () => undefined });
    await expect(assertReady({ table: async () => undefined, bucket: () => Promise.reject(new Error(arn)) })).rejects.toThrow(arn);
  });
});
