// Says in one line what is needed where Node is too old for the sources, instead of a stack trace. The npm commands load it before them
// (`node -r`), and dist/asu.mjs begins with it. It has to run on every Node that somebody may have.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    'This needs Node.js 24 or later, and this is ' +
      process.version +
      '. In a checkout `npm ci` installs it; otherwise see https://nodejs.org.\n',
  );
  process.exit(1);
}
