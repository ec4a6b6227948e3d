/** Quotes a word for sh. It is for scripts that people run, never for commands that the server runs. */
export const shellQuote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
