import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** Markup in which everything is escaped; `html` makes it. */
export type Markup = ReturnType<typeof html>;

/**
 * The style sheet, small enough to be part of every page, so that no page needs a second request. Colours follow the
 * reader's light or dark setting.
 */
const STYLE = `
:root{color-scheme:light dark;--ink:#1c2733;--soft:#56657a;--line:#d9e0e8;--back:#fff;--panel:#f5f7fa;--accent:#00557f}
@media(prefers-color-scheme:dark){:root{--ink:#e4eaf1;--soft:#9fb0c3;--line:#2f3b49;--back:#121820;--panel:#1a222d;--accent:#7cc7f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:64rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.5rem}
footer{padding-top:1rem;padding-bottom:2rem;color:var(--soft);border-top:1px solid var(--line);margin-top:2.5rem}
h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0 .3rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--accent)}
nav a{margin-right:1rem}
nav a[aria-current]{color:inherit;font-weight:600;text-decoration:none}
code{font-family:ui-monospace,monospace;font-size:.92em;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(45%,13rem),1fr));gap:.75rem;margin:1rem 0 0}
.figures>div{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
dt{color:var(--soft);font-size:.88rem}
dd{margin:0;font-size:1.45rem;font-weight:600;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
.scroll:focus-visible{outline:2px solid var(--accent)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:.55rem .8rem;border-bottom:1px solid var(--line)}
th,td{padding:.35rem .8rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{background:var(--panel);font-size:.88rem;white-space:nowrap}
tbody th{font-weight:500;white-space:nowrap}
.n{text-align:right;white-space:nowrap}
.zero{color:var(--soft)}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:0 1.5rem;align-items:start}
ul.links{padding-left:1.2rem;margin:.4rem 0}
`;

const STYLE_DIGEST = createHash('sha256').update(STYLE).digest('base64');

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'public, max-age=5',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const PAGES = [
  ['/', 'Overview'],
  ['/stats', 'Statistics'],
  ['/api/v1/docs', 'API'],
] as const;

export interface PageOptions {
  readonly path: string;
  readonly title: string;
  readonly description: string;
  /** The text at the foot of every page. */
  readonly serverVersion: string;
}

/** Returns a whole page, without scripts and without anything from other servers. */
export async function pageOf({ path, title, description, serverVersion }: PageOptions, content: Markup): Promise<string> {
  const page = await html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${description}">
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
<nav aria-label="Pages">${PAGES.map(([to, name]) => html`<a href="${to}"${to === path ? raw(' aria-current="page"') : ''}>${name}</a>`)}</nav>
<h1>${title}</h1>
<p class="soft">${description}</p>
</header>
<main>
${content}
</main>
<footer>
<p>ASU server ${serverVersion}. All times are UTC.</p>
</footer>
</body>
</html>
`;
  return page.toString();
}

/** Returns a page as an answer, with a policy that allows it nothing. */
export const pageResponse = (page: string): Response =>
  new Response(page, { headers: { ...HEADERS, 'Content-Length': String(Buffer.byteLength(page)) } });

/** Returns a row of the main figures. */
export const figureList = (figures: readonly (readonly [name: string, value: string])[]): Markup =>
  html`<dl class="figures">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** The rows. The first cell of each is its name. */
  readonly rows: readonly (readonly (string | number | Markup)[])[];
  /** The text in place of a table without rows. */
  readonly empty: string;
}

/** Returns a table. Numbers are aligned right, and a table that is too wide scrolls in its box, also by keyboard. */
export function table({ caption, head, rows, empty }: Table): Markup {
  if (rows.length === 0) return html`<p class="soft">${empty}</p>`;
  const isNumber = (column: number) => typeof rows[0]?.[column] === 'number';
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((name, i) => html`<th scope="col"${isNumber(i) ? raw(' class="n"') : ''}>${name}</th>`)}</tr></thead>
<tbody>
${rows.map(([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map(cell)}</tr>\n`)}</tbody>
</table></div>`;
}

const cell = (value: string | number | Markup): Markup =>
  typeof value === 'number' ? html`<td class="${value === 0 ? 'n zero' : 'n'}">${grouped(value)}</td>` : html`<td>${value}</td>`;

/** Returns `12,345` for 12345. */
export const grouped = (value: number): string => value.toLocaleString('en-US');
