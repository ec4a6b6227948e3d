import { execFile } from 'node:child_process';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Makes a Python environment with the pinned Schemathesis, once for each set of pins. */
export const environment = at('../../node_modules/.cache/schemathesis');
const requirements = at('requirements.txt');

export async function setup(): Promise<void> {
  const wanted = await readFile(requirements, 'utf8');
  const installed = await readFile(`${environment}/installed.txt`, 'utf8').catch(() => undefined);
  if (installed === wanted) return;
  await rm(environment, { recursive: true, force: true });
  await run(await findPython(), ['-m', 'venv', environment]);
  await access(`${environment}/bin/python`);
  await run(`${environment}/bin/python`, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements]);
  await writeFile(`${environment}/installed.txt`, wanted);
}

/** The first Python on this machine that is new enough. */
async function findPython(): Promise<string> {
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11'])
    try {
      await run(name, ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)']);
      return name;
    } catch {}
  throw new Error('the lane openapi needs Python 3.11 or later with venv (Debian: apt-get install python3-venv)');
}
