const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.83;
const MARGIN = 16;

const STYLE = `
  rect { fill: #161b22 } text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #c9d1d9 }
  .heading { font-weight: bold; fill: #ffffff } .done { fill: #3fb950 } .command { fill: #79c0ff }`;

/**
 * Returns an SVG picture of a terminal with these lines. The SVG contains them as text, so people can search and
 * compare it.
 */
export function terminalPicture(lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const texts = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const kind = kindOf(line);
    const y = MARGIN + LINE_HEIGHT * (index + 1) - 5;
    return [`  <text x="${MARGIN}" y="${y}"${kind && ` class="${kind}"`}>${escaped(line)}</text>`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
  <title>The output of npm run demo</title>
  <style>${STYLE}
  </style>
  <rect width="100%" height="100%" rx="8"/>
${texts.join('\n')}
</svg>
`;
}

function kindOf(line: string): string {
  if (line.startsWith('$ ')) return 'command';
  if (/^\S/.test(line)) return 'heading';
  return /✓|done in| 200 in /.test(line) ? 'done' : '';
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
