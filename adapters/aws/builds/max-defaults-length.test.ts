import { describe, expect, it } from 'vitest';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { maxBodyBytes } from '#http/json-body.ts';
import { freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { FULL_BODIES, fullBody } from '#test/support/full-bodies.ts';
import { MAX_DEFAULTS_LENGTH, MAX_ITEM_BYTES } from './max-defaults-length.ts';
import { packOrder } from './order-item.ts';

/** The room for what the server adds to a request: names, revisions, and the digests of some feeds. */
const ADDED_BYTES = 24 * 1024;

describe('the largest order that is accepted', () => {
  it('fits into an item even if none of it compresses', () => {
    expect(maxBodyBytes(MAX_DEFAULTS_LENGTH) + ADDED_BYTES).toBeLessThanOrEqual(MAX_ITEM_BYTES);
    expect(maxBodyBytes(MAX_DEFAULTS_LENGTH + 1) + ADDED_BYTES).toBeGreaterThan(MAX_ITEM_BYTES);
  });

  it.each(Object.keys(FULL_BODIES))('fits into an item when its body is full of %s', (what) => {
    const bytes = maxBodyBytes(MAX_DEFAULTS_LENGTH);
    const body = fullBody(what, bytes, MAX_DEFAULTS_LENGTH);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bytes);
    const request = buildRequestParser({ maxDefaultsLength: MAX_DEFAULTS_LENGTH, maxCustomRootfsSizeMb: 1_024 })(JSON.parse(body));
    const order = { ...sampleOrder(freshHash()), request };
    const packed = packOrder(order);
    expect(packed.length).toBeLessThan(MAX_ITEM_BYTES - ADDED_BYTES / 2);
    expect(packed.length).toBeGreaterThan(50_000);
  });
});
