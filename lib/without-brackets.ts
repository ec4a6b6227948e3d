/** Returns a URL's host name without the brackets that a literal IPv6 address has there. */
export const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');
