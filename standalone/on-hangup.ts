import { closeSync, openSync } from 'node:fs';

/**
 * SIGHUP has two senders: an operator who wants the settings read again, and the kernel when the terminal is closed in which the
 * server was started. The latter leaves no terminal behind, and ends the server as it ends other programs.
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
