import { simulate } from './simulate.ts';
const o = await simulate({ seed: Number(process.argv[2]), isTraced: true });
console.log(o.trace.join('\n')); console.log(o.broken?.message, o.faults.length);
