/** Whether this is a system error of that code, or was caused by one. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && codes.includes(String(at.code))) return true;
  return false;
}
