import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Makes directories within each other below `directory`, by a process that goes into each: their path may be of any length. */
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
