/**
 * An error for the log without its message, which may name parts of a private build: its class, its code, and where it
 * was thrown.
 */
export function unnamedError(error: unknown): { readonly name: string; readonly code?: unknown; readonly stack?: string } {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = '' } = error;
  // The stack begins with the message, which may have lines of its own.
  const from = stack.indexOf(message);
  const frames = from === -1 ? '' : stack.slice(from + message.length);
  return { name, ...('code' in error && { code: error.code }), stack: `${name}${frames}` };
}
