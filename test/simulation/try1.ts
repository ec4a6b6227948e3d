import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
const seed = Number(process.argv[2]);
const f = await simulate({ seed });
const s = await shrink(f, (only) => simulate({ seed, only }));
const o = await simulate({ seed, only: s.only, isTraced: true });
if (!f.broken) { console.log('holds'); process.exit(); }
console.log(o.trace.join('\n')); console.log(o.broken?.message, o.faults);
