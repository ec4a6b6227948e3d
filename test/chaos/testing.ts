import type { Answer } from './answer-faults.ts';
import { type BrokenPromise, journal } from './journal.ts';
import type { ChaosRequest } from './requests.ts';

export const HASH = 'a'.repeat(64);
export const BIN_DIR = 'b'.repeat(64);

/** A journal whose time a test sets, and what it printed. */
export function testJournal() {
  const clock = { now: 0 };
  const printed: string[] = [];
  const notes = journal({ seed: 7, time: () => clock.now, print: (text) => printed.push(text), keep: () => undefined });
  return { ...notes, clock, printed, names: () => notes.brokenPromises.map(({ promise }: BrokenPromise) => promise) };
}

export const requestOf = (kind: ChaosRequest['kind'] = 'kept'): ChaosRequest => ({
  number: 1,
  kind,
  body: { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] },
});

export const ACCEPTED = '2026-11-20T12:00:00.000Z';
export const ACCEPTED_LATER = '2026-11-20T12:01:00.000Z';

/** Answers as the server gives them, to be doctored. */
export const answers = {
  queued: (ahead = 0, enqueued_at = ACCEPTED): Answer => ({
    status: 202,
    retryAfter: '2',
    body: { status: 202, detail: 'queued', queue_position: ahead, enqueued_at, request_hash: HASH },
  }),
  building: (enqueued_at = ACCEPTED): Answer => ({
    status: 202,
    retryAfter: '2',
    body: { status: 202, detail: 'started', imagebuilder_status: 'building_image', enqueued_at, request_hash: HASH },
  }),
  done: (more: Answer['body'] = {}): Answer => ({
    status: 200,
    retryAfter: null,
    body: {
      status: 200,
      detail: 'done',
      imagebuilder_status: 'done',
      request: { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] },
      bin_dir: BIN_DIR,
      images: [{ name: 'a.img', sha256: 'c'.repeat(64) }],
      files: [{ name: 'a.img', size: 1, sha256: 'c'.repeat(64) }],
      manifest: { vim: '9.1-r1' },
      enqueued_at: ACCEPTED,
      request_hash: HASH,
      ...more,
    },
  }),
  failed: (retryAfter: string | null = '1', more: Answer['body'] = {}): Answer => ({
    status: 500,
    retryAfter,
    body: {
      status: 500,
      title: 'Build failed',
      detail: 'Error: the runner was lost',
      imagebuilder_status: 'failed',
      enqueued_at: ACCEPTED,
      request_hash: HASH,
      ...more,
    },
  }),
  unknown: (): Answer => ({ status: 404, retryAfter: null, hash: HASH, body: { status: 404, title: 'Not Found', detail: 'gone' } }),
} as const;
