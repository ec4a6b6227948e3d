/**
 * Calls `look` at intervals, each time after the one before has settled, until it returns true or the returned function
 * is called. A look that fails, because this process has too many files open, counts as one that saw nothing.
 */
export function lookRepeatedly(everyMs: number, look: () => Promise<boolean>, onSeen: () => void): () => void {
  let isWatching = true;
  const lookOnce = async (): Promise<void> => {
    const isSeen = await look().catch(() => false);
    if (!isWatching) return;
    if (isSeen) onSeen();
    else timer = setTimeout(lookOnce, everyMs);
  };
  let timer = setTimeout(lookOnce, everyMs);
  return () => {
    isWatching = false;
    clearTimeout(timer);
  };
}
