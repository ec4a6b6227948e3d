const MAX_LENGTH = 200;
/** Longer texts are cut before they are searched. */
const MAX_READ = 4_000;

/**
 * Returns the text of a failure as it may be published: one line, without job ids, addresses and paths of this machine,
 * and without anything that names the client's own repositories. Job ids, white space and length are as in asu/util.py
 * ErrorLog.
 */
export function anonymousError(text: string, repositories: Readonly<Record<string, string>> = {}): string {
  let shown = text.slice(0, MAX_READ).toWellFormed();
  for (const secret of secretsOf(repositories)) shown = shown.replaceAll(secret, '[repository]');
  return [
    ...shown
      .replace(URLS, '[url]')
      .replace(PATHS, '[path]')
      .replace(ADDRESSES, '[address]')
      .replace(JOB_IDS, '[job-id]')
      .replace(BLANK, ' ')
      .trim(),
  ]
    .slice(0, MAX_LENGTH)
    .join('');
}

const URLS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s'"<>]+/gi;
/** Absolute paths, at least two deep: `x86/64` and `/` are none. */
const PATHS = /(?<![\w.\]/-])\/(?:[\w.@+~-]+\/)+[\w.@+~-]*/g;
const ADDRESSES = /\b\d{1,3}(?:\.\d{1,3}){3}:\d+\b|\[[0-9a-f:.]*:[0-9a-f:.]*\](?::\d+)?/gi;
const JOB_IDS = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi;
const BLANK = /[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Longest first: a URL before the host in it. */
function secretsOf(repositories: Readonly<Record<string, string>>): string[] {
  const secrets = Object.values(repositories).flatMap((url) => {
    const parsed = URL.parse(url);
    return parsed === null ? [url] : [url, parsed.host, parsed.hostname];
  });
  return secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
}
