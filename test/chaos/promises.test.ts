import { describe, expect, it } from 'vitest';
import type { Answer } from './answer-faults.ts';
import { promises } from './promises.ts';
import { ACCEPTED_LATER, answers, HASH, requestOf, testJournal } from './testing.ts';

const LIFE_MS = 15_000;

/** Returns the checks, and a client that gets one answer after another, each a second later. */
function watched(kind: Parameters<typeof requestOf>[0] = 'kept') {
  const notes = testJournal();
  const request = requestOf(kind);
  const seen = promises({ journal: notes, time: () => notes.clock.now, shortestLifeMs: LIFE_MS });
  const get = (answer: Answer, sentBefore = 10) => {
    notes.clock.now += 1_000;
    return seen.saw(request, { hash: HASH, ...answer, sentAt: notes.clock.now - sentBefore, at: notes.clock.now });
  };
  const post = (answer: Answer) => {
    seen.posts(request);
    notes.clock.now += 1_000;
    return seen.saw(request, { ...answer, sentAt: notes.clock.now - 10, at: notes.clock.now });
  };
  const pass = (ms: number) => {
    notes.clock.now += ms;
  };
  return { seen, get, post, notes, pass };
}

describe('what clients see of one build', () => {
  it('may go from the queue to the result, and stay there', () => {
    const { post, get, seen, notes } = watched();
    post(answers.queued());
    for (const answer of [answers.building(), answers.queued(), answers.building(), answers.done(), answers.done()]) get(answer);
    post(answers.done());
    expect(notes.names()).toEqual([]);
    expect(seen.open()).toEqual([]);
    expect(seen.builds()).toMatchObject([{ hash: HASH, state: 'done' }]);
  });

  it.each([
    ['a result', answers.done()],
    ['a failure', answers.failed()],
  ])('never goes back from %s to the queue (I5)', (_, end) => {
    const { post, get, notes } = watched();
    post(answers.queued());
    get(end);
    get(answers.queued());
    expect(notes.names()).toEqual(['I5']);
  });

  it('may seem to go back in an answer that overlapped with the one that said the end', () => {
    const { post, get, notes } = watched();
    post(answers.queued());
    get(answers.done());
    get(answers.building(), 1_500);
    expect(notes.names()).toEqual([]);
  });

  it('is not both done and failed (I4)', () => {
    const { post, get, notes } = watched();
    post(answers.queued());
    get(answers.done());
    get(answers.failed());
    expect(notes.names()).toEqual(['I4']);
  });

  it('has one result (I4)', () => {
    const { post, get, notes } = watched();
    post(answers.queued());
    get(answers.done());
    get(answers.done({ bin_dir: 'd'.repeat(64) }));
    expect(notes.names()).toEqual(['I4']);
  });

  it('is not gone before it has ended (I2)', () => {
    const { post, get, notes, seen } = watched('short');
    post(answers.queued());
    get(answers.unknown());
    expect(notes.names()).toEqual(['I2']);
    expect(seen.open()).toEqual([]);
  });

  it.each(['time', 'clock'])('may be gone when its end may be forgotten already: %s', (why) => {
    const { post, get, notes, seen, pass } = watched('short');
    post(answers.queued());
    if (why === 'time') pass(LIFE_MS);
    else seen.disturbed('clock');
    get(answers.unknown());
    expect(notes.names()).toEqual([]);
    expect(seen.builds()).toMatchObject([{ state: 'unseen' }]);
  });

  it('keeps a result that is to be kept (I3)', () => {
    const { post, get, notes, pass } = watched('kept');
    post(answers.done());
    pass(LIFE_MS);
    get(answers.unknown());
    expect(notes.names()).toEqual(['I3']);
  });
});

describe('what clients see of a request that is built again', () => {
  const later = answers.queued(0, ACCEPTED_LATER);

  it('is the later build from then on', () => {
    const { post, get, notes, seen } = watched('short');
    post(answers.queued());
    get(answers.failed());
    post(later);
    get(answers.building(ACCEPTED_LATER));
    expect(notes.names()).toEqual([]);
    expect(seen.open()).toMatchObject([{ enqueuedAt: ACCEPTED_LATER }]);
  });

  it('is never the earlier one again (I5)', () => {
    const { post, get, notes } = watched('short');
    post(answers.failed());
    post(later);
    get(answers.failed());
    expect(notes.names()).toEqual(['I5']);
  });

  it('did not begin by itself (I5)', () => {
    const { post, get, notes } = watched('short');
    post(answers.failed());
    get(later);
    expect(notes.names()).toEqual(['I5']);
  });

  it('may come in answers that overlapped, in either order', () => {
    const { post, get, notes, seen } = watched('short');
    post(later);
    get(answers.failed(), 1_500);
    get(later);
    expect(notes.names()).toEqual([]);
    expect(seen.open()).toMatchObject([{ enqueuedAt: ACCEPTED_LATER }]);
  });
});

describe('a place in the queue', () => {
  it('does not grow by itself (I6)', () => {
    const { post, get, notes, seen, pass } = watched();
    post(answers.queued(3));
    get(answers.queued(4));
    seen.judgePlaces();
    expect(notes.names()).toEqual([]);
    pass(10_000);
    seen.judgePlaces();
    expect(notes.names()).toEqual(['I6']);
  });

  it('may grow when a build returns to the queue, also when the log says so a moment later', () => {
    const { post, get, notes, seen, pass } = watched();
    post(answers.queued(3));
    get(answers.queued(4));
    seen.disturbed('queue');
    pass(10_000);
    seen.judgePlaces();
    expect(notes.names()).toEqual([]);
  });

  it('may shrink', () => {
    const { post, get, notes, seen } = watched();
    post(answers.queued(3));
    get(answers.queued(0));
    seen.judgePlaces(true);
    expect(notes.names()).toEqual([]);
  });
});

it('an answer about another build than was asked about breaks I4', () => {
  const { get, notes } = watched();
  get({ ...answers.queued(), hash: 'e'.repeat(64) });
  expect(notes.names()).toEqual(['I4']);
});
