import { uidSlots } from '../sandbox/uid-slots.ts';

/** A process of its own that takes one slot, says which, and holds it until it is killed. */
const [firstUid = '', place = ''] = process.argv.slice(2);
process.stdout.write(`${await uidSlots(Number(firstUid), [place]).take()}\n`);
setInterval(() => undefined, 60_000);
