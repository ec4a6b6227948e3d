import { readFileSync } from 'node:fs';

/** One request to the reference server and what it answered (test/compat/data/vectors.json). */
export interface Vector {
  readonly name: string;
  /** How the server was configured. */
  readonly server: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  readonly response: Recorded;
}

/** An answer as recorded, or as expected; `body` is parsed where it is JSON. */
export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export const dataUrl = (name: string): URL => new URL(`../data/${name}`, import.meta.url);

export const vectors = JSON.parse(readFileSync(dataUrl('vectors.json'), 'utf8')) as readonly Vector[];
