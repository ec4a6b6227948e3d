import { closeSync, openSync } from 'node:fs';

/**
 * Listens for SIGHUP, which has two senders: an operator who wants the settings read again, and the kernel when the
 * terminal closes in which the server was started. In the second case there is no terminal any more, and the server
 * ends as other programs do.
 */
export function onHangup(reload: () => void, stop: () => void): void {
  const hadTerminal = hasTerminal();
  process.on('SIGHUP', () => (hadTerminal && !hasTerminal() ? stop() : reload()));
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
