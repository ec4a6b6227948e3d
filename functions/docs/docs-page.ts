/** The page asks this server alone. Swagger UI sets styles on elements, which needs `unsafe-inline`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const DOCS_PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'public, max-age=300',
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** The page. Its paths are relative, so that it also works below a prefix. */
export const DOCS_PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>API of the OpenWrt Attended SysUpgrade server</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Every endpoint of this server, to read and to try.">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<style>
body{margin:0;font:16px/1.5 system-ui,sans-serif}
html.dark-mode body{background:#1c2022;color:#e4e6e6}
nav,noscript p{max-width:1460px;margin:0 auto;padding:1rem 1.25rem 0}
nav a{margin-right:1rem;color:#00557f}
html.dark-mode nav a{color:#7cc7f0}
</style>
</head>
<body>
<nav aria-label="Pages"><a href="../../">Overview</a><a href="../../stats">Statistics</a><a href="openapi.json">OpenAPI document</a></nav>
<noscript><p>This page needs JavaScript. The <a href="openapi.json">OpenAPI document</a> says the same.</p></noscript>
<main id="docs"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/docs.js"></script>
</body>
</html>
`;

/** The script, in a file of its own since the policy allows no script in the page. */
export const DOCS_SCRIPT = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;
