import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';

/**
 * Returns whether the operator allows a package repository: scheme, host and port equal those of an entry of the list,
 * and the path is below the entry's. This is stricter than asu/repositories.py, which ignores the port and `..`. The
 * path is compared after `.` and `..` are resolved, percent-encoded ones too. An encoded slash, backslash or percent
 * sign is refused, since a server may decode it. An entry itself is not below itself.
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
