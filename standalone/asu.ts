/**
 * The entry of the single file that `npm run bundle:standalone` makes: the server, or `npm run doctor` or `npm run
 * config` if the first word says so.
 */
const [word] = process.argv.slice(2, 3);
if (word === 'doctor' || word === 'config') process.argv.splice(2, 1);
if (word === 'doctor') await import('./doctor.ts');
else if (word === 'config') await import('./print-config.ts');
else await import('./main.ts');
