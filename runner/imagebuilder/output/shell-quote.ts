/** A word as sh reads it back: for scripts that people run, never for commands that we do. */
export const shellQuote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
