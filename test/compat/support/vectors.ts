import { readFileSync } from 'node:fs';

/** One request to the reference server and its answer (test/compat/data/vectors.json). */
export interface Vector {
  readonly name: string;
  /** The configuration of the server. */
  readonly server: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  readonly response: Recorded;
}

/** A recorded or expected answer; `body` is parsed where it is JSON. */
export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export const dataUrl = (name: string): URL => new URL(`../data/${name}`, import.meta.url);

export const vectors = JSON.parse(readFileSync(dataUrl('vectors.json'), 'utf8')) as readonly Vector[];
