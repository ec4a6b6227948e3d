import * as z from 'zod';
import { words } from './kinds.ts';

/**
 * The URL of an HTTP proxy, which may hold a user name and password. A value without a scheme means `http://`, as curl
 * reads it.
 */
const proxyUrl = z.string().transform((text, ctx): string => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol) && isDecodable(url)) return url.href;
  ctx.addIssue({ code: 'custom', message: 'expected the URL of an HTTP proxy, such as http://proxy.example.org:3128' });
  return z.NEVER;
});

/** Returns whether the user name and password can be decoded: an unencoded `%` cannot. */
function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

/** The proxies of everything that reads upstream. The names are curl's. */
export const proxySettings = {
  HTTPS_PROXY: proxyUrl.optional(),
  HTTP_PROXY: proxyUrl.optional(),
  NO_PROXY: words.default([]),
};

/** Returns the variables that give a setting, without a prefix. The first wins: `https_proxy`, as for curl. */
export const variablesOf = (name: string): readonly string[] => (Object.hasOwn(proxySettings, name) ? [name.toLowerCase(), name] : [name]);

/** Returns the text of a setting without the user name and password that a URL in it holds. */
export const withoutCredentials = (name: string, text: string): string =>
  (Object.hasOwn(proxySettings, name) ? text.replace(/^.*@/, '(hidden)@') : text).replace(/\/\/[^\s"',]*@/g, '//(hidden)@');
