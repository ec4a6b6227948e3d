import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Creates nested directories below `directory`. A process enters each one, so their path may have any length. */
export async function dig(directory: string, depth: number, name = 'deeper-and-deeper'): Promise<void> {
  const script = `
    const [depth, name] = process.argv.slice(1);
    for (let at = 0; at < Number(depth); at++) {
      fs.mkdirSync(name);
      process.chdir(name);
    }
    fs.writeFileSync('bottom', '');`;
  await promisify(execFile)(process.execPath, ['--eval', script, String(depth), name], { cwd: directory });
}
