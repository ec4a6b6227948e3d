/** What `npm run bundle:standalone` makes one file of: the server, and with a first word what is otherwise `npm run doctor` and `npm run config`. */
const [word] = process.argv.slice(2, 3);
if (word === 'doctor' || word === 'config') process.argv.splice(2, 1);
if (word === 'doctor') await import('./doctor.ts');
else if (word === 'config') await import('./print-config.ts');
else await import('./main.ts');
