import { describe, expect, it } from 'vitest';
import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import type { Warning } from '#core/warning.ts';
import type { DoneBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { resultDocument } from './outcome-documents.ts';

const build = { hash: 'a'.repeat(64), binDir: 'b'.repeat(64), enqueuedAt: '2026-11-01T00:00:00.000Z' } as DoneBuild;
const output = { files: [], metadata: {}, profile: {}, manifest: {}, packages: [], digests: {} } as unknown as BuildOutput;
const order = { request: { profile: 'generic' } } as BuildOrder;
const warning = (detail: string): Warning => ({ code: 'essential_packages_missing', severity: 'strong', detail });

describe("a result's warnings", () => {
  it('are those of the request, then those of the images', () => {
    const document = resultDocument({ ...order, warnings: [warning('asked')] }, build, { ...output, warnings: [warning('built')] });
    expect(document['warnings']).toEqual([warning('asked'), warning('built')]);
  });

  it('are absent where there are none, whatever the profiles.json of the ImageBuilder holds', () => {
    const document = resultDocument(order, build, {
      ...output,
      metadata: { warnings: 'of upstream' },
      profile: { images: [], warnings: [1] },
    });
    expect(JSON.parse(JSON.stringify(document))).not.toHaveProperty('warnings');
  });
});
