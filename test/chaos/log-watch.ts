import type { Journal } from './journal.ts';

export interface LogWatch {
  /** Called with each line of the server's log. */
  line(text: string): void;
  /** Settles at the next line with this message, or after some seconds; at once for `any`. */
  moment(message: string, stop: AbortSignal): Promise<void>;
  /** Called when a process has ended: nothing is being built then. */
  stopped(): void;
}

export interface LogWatchOptions {
  readonly journal: Journal;
  /** Called when the log says that builds returned to the queue. */
  readonly onReturned: () => void;
}

const MOMENT_MS = 3_000;

/** The messages with which a build returns to the queue. */
const RETURNS = ['build returned to the queue', 'build handed back', 'builds swept', 'builds of an earlier run returned to the queue'];

/** Reads the server's log: to choose moments, to know which builds return, and to find errors that no client sees. */
export function logWatch({ journal, onReturned }: LogWatchOptions): LogWatch {
  const waiting = new Set<{ message: string; arrived: () => void }>();
  const building = new Set<string>();
  const begins = (hash: string) => {
    if (building.has(hash)) journal.broken({ promise: 'I1', hash, text: 'the build began while it was being built' });
    building.add(hash);
  };
  return {
    line: (text) => {
      const { message, level, request_hash: hash, ...fields } = fieldsOf(text);
      const said = String(message ?? '');
      for (const one of waiting) if (one.message === said) one.arrived();
      if (RETURNS.includes(said)) onReturned();
      // Neither clients nor upstream nor the clock may cause an error of the server itself.
      if (level === 'error') journal.broken({ promise: 'answers', text: `the server logs: ${text.slice(0, 500)}` });
      // The sweeper took builds from their runner, which may go on for a moment.
      if (said === 'builds swept' && Number(fields['returned']) > 0) building.clear();
      if (typeof hash !== 'string') return;
      if (said === 'build started') begins(hash);
      else if (/^build (done|failed|returned to the queue|handed back|lost to another runner)$/.test(said)) building.delete(hash);
      if (level !== 'debug') journal.note(`log: ${said}${fields['detail'] === undefined ? '' : `: ${fields['detail']}`}`, hash);
    },
    moment: (message, stop) =>
      new Promise((resolve) => {
        if (message === 'any') return resolve();
        const one = {
          message,
          arrived: () => {
            clearTimeout(late);
            waiting.delete(one);
            resolve();
          },
        };
        const late = setTimeout(one.arrived, MOMENT_MS);
        stop.addEventListener('abort', one.arrived, { once: true });
        waiting.add(one);
      }),
    stopped: () => building.clear(),
  };
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}
