import { describe, expect, it } from 'vitest';
import { logWatch } from './log-watch.ts';
import { HASH, testJournal } from './testing.ts';

function watched() {
  const notes = testJournal();
  let returned = 0;
  const watch = logWatch({
    journal: notes,
    onReturned: () => {
      returned += 1;
    },
  });
  const log = (message: string, fields: object = {}) => watch.line(JSON.stringify({ level: 'info', message, ...fields }));
  return { ...watch, log, notes, returned: () => returned };
}

const BUILD = { request_hash: HASH };

describe('the log of the server', () => {
  it('may tell of one attempt after another', () => {
    const { log, notes, stopped, returned } = watched();
    log('build started', BUILD);
    log('build returned to the queue', BUILD);
    log('build started', BUILD);
    stopped();
    log('build started', BUILD);
    log('builds swept', { returned: 1 });
    log('build started', BUILD);
    log('build done', BUILD);
    expect(notes.names()).toEqual([]);
    expect(returned()).toBe(2);
  });

  it('never says that a build began while it was being built (I1)', () => {
    const { log, notes } = watched();
    log('build started', BUILD);
    log('build step entered', BUILD);
    log('build started', BUILD);
    expect(notes.names()).toEqual(['I1']);
  });

  it('has no error of the server itself', () => {
    const { log, notes, line } = watched();
    line('no JSON');
    log('state could not be used', { level: 'error' });
    expect(notes.names()).toEqual(['answers']);
  });

  it('shows a moment to act', async () => {
    const { log, moment } = watched();
    const stop = new AbortController();
    await moment('any', stop.signal);
    const next = moment('build done', stop.signal);
    log('build done', BUILD);
    await next;
    const never = moment('build done', stop.signal);
    stop.abort();
    await never;
  });
});

describe('the journal', () => {
  it('prints a broken promise with seed, time, hash and what happened before', () => {
    const { printed, note, broken, clock } = testJournal();
    note('of the build', HASH);
    note('of another build', 'f'.repeat(64));
    note('of the run');
    clock.now = 12_345;
    broken({ promise: 'I3', hash: HASH, text: 'a file is missing' });
    const [text = ''] = printed;
    for (const part of ['BROKEN PROMISE I3', '12.35 s', 'seed 7', HASH, 'a file is missing', 'of the build', 'of the run'])
      expect(text).toContain(part);
    expect(text).not.toContain('of another build');
  });
});
