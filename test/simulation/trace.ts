/** What happened, in order, for a person who looks for the cause of a broken promise. */
export interface Trace {
  readonly lines: readonly string[];
  /** `what` may be a function, which is called only if the trace is kept. */
  note(timeMs: number, who: string, what: string | (() => string)): void;
}

/** Returns a trace that keeps everything, or nothing: most seeds are fine, and their traces are never read. */
export function traceOf(isKept: boolean): Trace {
  const lines: string[] = [];
  return {
    lines,
    note: (timeMs, who, what) => {
      if (!isKept) return;
      const text = typeof what === 'string' ? what : what();
      lines.push(`${(timeMs / 1000).toFixed(3).padStart(9)} ${who.padEnd(12)} ${text}`);
    },
  };
}

/** Returns the arguments or the answer of a call in a few words. */
export function brief(value: unknown): string {
  if (value === undefined) return '-';
  const text = JSON.stringify(value, (_, inner) => (typeof inner === 'string' && /^[0-9a-f]{64}$/.test(inner) ? inner.slice(0, 6) : inner));
  return text === undefined ? typeof value : text.replaceAll(/([0-9a-f]{6})[0-9a-f]{58}/g, '$1').slice(0, 260);
}
