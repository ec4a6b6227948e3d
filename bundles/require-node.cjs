// Prints one line instead of a stack trace if Node is too old for the sources. The npm commands load it before the
// sources (`node -r`), and dist/asu.mjs begins with it. It has to run on every old version of Node.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    'This needs Node.js 24 or later, and this is ' +
      process.version +
      '. In a checkout `npm ci` installs it; otherwise see https://nodejs.org.\n',
  );
  process.exit(1);
}
