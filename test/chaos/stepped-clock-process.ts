import { readFileSync } from 'node:fs';
import { clockFile } from './config.ts';

// Node loads this module before the server's own (`--import`). It replaces the time of day by that of a file with an
// offset in milliseconds, which another process may change at any time.

/** How often the offset is read. */
const FOLLOW_MS = 50;

const file = clockFile();
if (file !== undefined) follow(file);

function follow(path: string): void {
  let offset = 0;
  const read = () => {
    try {
      const text = readFileSync(path, 'utf8');
      if (text !== '') offset = Number(text);
    } catch {
      // The run has removed the file, and ends this process next.
    }
  };
  read();
  setInterval(read, FOLLOW_MS).unref();

  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (target, input, newTarget) => Reflect.construct(target, input.length === 0 ? [Real.now() + offset] : input, newTarget),
    apply: () => new Date().toString(),
    get: (target, name, receiver) => (name === 'now' ? () => Real.now() + offset : Reflect.get(target, name, receiver)),
  });
}
