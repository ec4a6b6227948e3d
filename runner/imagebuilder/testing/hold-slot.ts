import { uidSlots } from '../sandbox/uid-slots.ts';

/** A separate process that takes one slot, prints it, and holds it until it is killed. */
const [firstUid = '', place = ''] = process.argv.slice(2);
process.stdout.write(`${await uidSlots(Number(firstUid), [place]).take()}\n`);
setInterval(() => undefined, 60_000);
