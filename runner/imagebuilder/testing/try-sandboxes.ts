import { availableSandboxes, chooseSandbox } from '../sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from '../sandbox/sandbox.ts';

/**
 * A separate process that stands for another server on the machine. It tries every sandbox below `directory`, and the
 * weakest one with uids again and again.
 */
const [directory = '', firstUid = '', times = ''] = process.argv.slice(2);
const options = { directory, limits: DEFAULT_LIMITS, firstUid: Number(firstUid) };
const levels = (await availableSandboxes(options)).map(({ level }) => level);
for (let time = 0; time < Number(times); time++) await chooseSandbox(options, levels.includes('uid') ? 'uid' : 'plain');
