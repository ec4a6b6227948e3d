import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/**
 * Whether the operator lets clients use a package repository: scheme, host and port equal those of an entry of the list, and
 * the path lies below the entry's. Stricter than asu/repositories.py, which ignores the port and takes `..` as it stands. The
 * path is compared after `.` and `..` are resolved, also percent-encoded ones; an encoded slash, backslash or percent sign
 * is refused, since a server may decode it into one. An entry itself, with nothing after it, is not below it.
 */
export function isRepositoryAllowed(url: string, allowList: readonly string[]): boolean {
  const asked = URL.parse(url);
  if (asked === null || asked.username !== '' || asked.password !== '' || /%(?:2f|5c|25)/i.test(asked.pathname)) return false;
  return allowList.some((entry) => {
    const allowed = URL.parse(entry);
    if (allowed === null || asked.protocol !== allowed.protocol || asked.host !== allowed.host) return false;
    return asked.pathname.startsWith(`${withoutTrailingSlashes(allowed.pathname)}/`);
  });
}
