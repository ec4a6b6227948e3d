/** A promise that the server did not keep. */
export interface BrokenPromise {
  /** The promise of docs/architecture.md, such as `I3`. */
  readonly promise: string;
  readonly hash?: string | undefined;
  readonly text: string;
}

/** Remembers what happened, and prints a broken promise with what happened before it. */
export interface Journal {
  note(text: string, hash?: string): void;
  broken(promise: BrokenPromise): void;
  readonly brokenPromises: readonly BrokenPromise[];
}

/** How many events of the build, and how many of the whole run, are printed with a broken promise. */
const SHOWN = 12;
const KEPT = 20_000;
/** A promise that is broken again and again for one build is printed so many times. */
const PRINTED_PER_PROMISE = 20;

export interface JournalOptions {
  readonly seed: number;
  /** Milliseconds since the run began. */
  readonly time: () => number;
  readonly print: (text: string) => void;
  /** Called with each event, to keep it. */
  readonly keep: (line: string) => void;
}

export function journal({ seed, time, print, keep }: JournalOptions): Journal {
  const events: { at: number; text: string; hash?: string | undefined }[] = [];
  const brokenPromises: BrokenPromise[] = [];
  const shown = new Map<string, number>();
  const line = ({ at, text }: { at: number; text: string }) => `    ${(at / 1000).toFixed(2).padStart(8)} s  ${text}`;
  return {
    brokenPromises,
    note: (text, hash) => {
      const event = { at: time(), text, hash };
      events.push(event);
      keep(`${line(event).trim()}${hash === undefined ? '' : ` (${hash})`}`);
      if (events.length > KEPT) events.shift();
    },
    broken: (promise) => {
      brokenPromises.push(promise);
      keep(`BROKEN PROMISE ${promise.promise}: ${promise.text} (${promise.hash ?? '–'})`);
      const times = (shown.get(promise.promise) ?? 0) + 1;
      shown.set(promise.promise, times);
      if (times > PRINTED_PER_PROMISE) return;
      const ofBuild = promise.hash === undefined ? [] : events.filter(({ hash }) => hash === promise.hash).slice(-SHOWN);
      const ofRun = events.filter(({ hash }) => hash === undefined).slice(-SHOWN);
      print(
        [
          `BROKEN PROMISE ${promise.promise} at ${(time() / 1000).toFixed(2)} s, seed ${seed}, request hash ${promise.hash ?? '–'}:`,
          `  ${promise.text}`,
          '  The last events of this build:',
          ...ofBuild.map(line),
          '  The last events of the run:',
          ...ofRun.map(line),
        ].join('\n'),
      );
    },
  };
}
