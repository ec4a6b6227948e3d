import { simulate } from './simulate.ts';
const first = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 100);
const t = process.cpuUsage().user; let steps = 0, faults = 0, builds = 0; const by = new Map<string, number[]>();
for (let s = first; s < first + n; s++) { const o = await simulate({ seed: s }); steps += o.steps; faults += o.faults.length; builds += o.builds; if (o.broken) { const k = o.broken.message.replace(/[0-9a-f]{6}/g,'H').slice(0, 110); by.set(k, [...(by.get(k) ?? []), s]); } }
console.log(n, steps, faults, builds, (process.cpuUsage().user - t) / n / 1000, 'cpu ms/seed');
for (const [k, v] of [...by].sort((a,b)=>b[1].length-a[1].length)) console.log(v.length, k, v.slice(0, 5).join(' '));
