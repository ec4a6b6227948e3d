import { uidSlots } from '../sandbox/uid-slots.ts';

/** A process of its own that takes one slot, says which, and holds it until it is killed. */
process.stdout.write(`${await uidSlots(Number(process.argv[2])).take()}\n`);
setInterval(() => undefined, 60_000);
