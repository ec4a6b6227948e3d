import { spawn } from 'node:child_process';
import { MARKER, siteOf } from '#runner/processes/build-marker.ts';

/**
 * A separate process that stands for a server that does not see our claims. It has a live build with this uid, whose
 * processes sleep for this many seconds; the second one has no environment. It stays until it is killed.
 */
const [uid = '', seconds = ''] = process.argv.slice(2);
const SETPRIV = 'setpriv';
const marker = `${siteOf('/elsewhere/builds')}.build.${process.pid}.0123abcd`;
const drop = ['--reuid', uid, '--regid', uid, '--clear-groups', '--no-new-privs'];
spawn(SETPRIV, [...drop, 'sh', '-c', `env -i sleep ${seconds} & sleep ${seconds}; :`], {
  env: { PATH: '/usr/bin:/bin', [MARKER]: marker },
  stdio: 'ignore',
});
setInterval(() => undefined, 60_000);
