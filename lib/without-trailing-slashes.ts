/**
 * Returns the text without the slashes at its end. `/\/+$/` would try every slash of the text against all that follow.
 */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 47) end -= 1;
  return text.slice(0, end);
}
