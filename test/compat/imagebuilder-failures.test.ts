import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { dataUrl } from './support/vectors.ts';

interface RecordedFailure {
  readonly case: string;
  readonly manager: 'opkg' | 'apk';
  readonly request: { readonly packages?: readonly string[] };
  readonly reference_detail: string;
}

const recorded: readonly RecordedFailure[] = JSON.parse(readFileSync(dataUrl('imagebuilder-failures.json'), 'utf8'));

/** The failures whose `detail` does not begin like the reference server's, because ours says more or comes earlier. */
const DEVIATIONS: Readonly<Record<string, { because: string; status?: number; detail?: RegExp }>> = {
  'unknown, opkg': { because: '§10.21: refused at once', status: 422 },
  'unknown, apk': { because: '§10.21: refused at once', status: 422 },
  'wrong version_code, opkg': { because: '§10.24: refused at once', status: 400 },
  'wrong version_code, apk': {
    because: '§10.24: refused at once; the demo has another revision',
    status: 400,
    detail: /^Error: Received incorrect version r32713-f91a7c30e2 \(requested r1-abcdef0\)$/,
  },
  'missing dependency, opkg': {
    because: 'the dependency that is missing, and what needs it',
    detail: /^Error: Impossible package selection: missing \(does-not-exist-anywhere\); needs-missing needs does-not-exist-anywhere/,
  },
  'Conflicts, opkg': { because: 'both sides of a conflict', detail: /^Error: Impossible package selection: conflicts \(foe-a, foe-b\)/ },
  'wrong package version, opkg': { because: '§10.29: refused at once', status: 422 },
  'wrong package version, apk': {
    because: '§10.29: refused at once; the demo has another version',
    status: 422,
    detail: /^Error: Impossible package selection: luci version not as requested: 9\.9 vs\. 26\.057\.31245~2f1c1b9$/,
  },
  'filesystem bad, apk': { because: 'which file systems there are', detail: /^Error: Unsupported filesystem: jffs2\. Available: squashfs/ },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ realImages: {}, env: { REFUSE_IMPOSSIBLE: 'warn' } });
});
afterAll(() => server.close());

describe('the answers to failing builds', () => {
  it.each(recorded.map((failure) => [`${failure.case}, ${failure.manager}`, failure] as const))('%s', async (name, failure) => {
    const { because, status = 500, detail } = DEVIATIONS[name] ?? {};
    // Real feeds have `huge` under another name.
    const body = JSON.stringify(failure.request).replace('"bigpkg"', '"huge"');
    const post = () => server.ask('/api/v1/build', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    let answer = await post();
    for (; answer.status === 202; answer = await post()) await delay(100);

    const told = JSON.parse(answer.text) as { status: number; detail: string; stderr?: string };
    expect([answer.status, told.status], because).toEqual([status, status]);
    const said = failure.reference_detail.replaceAll('-1.0-r1', '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    expect(told.detail, because).toMatch(detail ?? new RegExp(`^${said}`));
    if (status === 500) expect(typeof told.stderr).toBe('string');
  });
});
