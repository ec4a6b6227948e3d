import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { shownLines } from './shown-lines.ts';
import { terminalPicture } from './terminal-picture.ts';

/** The command behind `npm run demo:picture`: it runs the demo once and draws its output as `docs/demo.svg`. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const demo = spawn(process.execPath, ['demo/main.ts', '--once'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise<number | null>((resolve) => demo.once('exit', resolve));
const output = await text(demo.stdout);
if ((await ended) === 0) await writeFile(`${ROOT}docs/demo.svg`, terminalPicture(shownLines(output)));
else {
  process.stderr.write(output);
  process.exitCode = 1;
}
