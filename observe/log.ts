/** Writes events. `message` is a constant phrase in the past tense, and everything else goes into `fields`. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * Whether lines of that level are written. Code that runs thousands of times a second asks before it gathers fields.
   */
  writes(level: LogLevel): boolean;
  /** Returns the same log with fields that every line carries. */
  with(fields: LogFields): Log;
}

export type LogFields = Readonly<Record<string, unknown>>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A log of JSON lines with time, level, message and fields. An `Error` among the fields has its message, stack and
 * cause written, with hashes cut short. A level that may change is given as a function.
 */
export function jsonLog(level: LogLevel | (() => LogLevel), write: (line: string) => void, fields: LogFields = {}): Log {
  const least = typeof level === 'function' ? level : () => level;
  const writes = (name: LogLevel) => name !== 'silent' && LOG_LEVELS.indexOf(name) >= LOG_LEVELS.indexOf(least());
  const at =
    (name: LogLevel) =>
    (message: string, more: LogFields = {}) => {
      if (!writes(name)) return;
      const line = { time: new Date().toISOString(), level: name, message, ...fields, ...more };
      // Looking at every value costs more than the rest of the line, and most lines have no object to look at.
      write(`${hasObject(more) || hasObject(fields) ? JSON.stringify(line, readable) : JSON.stringify(line)}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    writes,
    with: (more) => jsonLog(level, write, { ...fields, ...more }),
  };
}

function hasObject(fields: LogFields): boolean {
  for (const name in fields) if (typeof fields[name] === 'object') return true;
  return false;
}

/**
 * The text with hashes and directories of builds cut to their beginnings, since a whole one is the key to a private
 * build.
 */
export const shortHashes = (text: string): string => text.replaceAll(/[0-9a-f]{64}/g, (hash) => `${hash.slice(0, 12)}…`);

/**
 * Makes errors readable for JSON. An error may name files of any build; a line that may name its build has a field for
 * it.
 */
function readable(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return {
    name,
    message: shortHashes(message),
    stack: stack && shortHashes(stack),
    ...(cause !== undefined && { cause: typeof cause === 'string' ? shortHashes(cause) : cause }),
  };
}
