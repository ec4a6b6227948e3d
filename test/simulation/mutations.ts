/** A change of one module as it ships that breaks a promise, which the simulator has to notice. */
export interface Mutation {
  readonly name: string;
  /** The module, from the root of the repository. */
  readonly module: string;
  /** The promises by which it may be noticed. */
  readonly breaks: readonly string[];
  /** The texts to replace, each of which is in the module once. */
  readonly replace: readonly (readonly [text: string, by: string])[];
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a result is published although the row did not move',
    module: 'core/build/finish-attempt.ts',
    breaks: ['I4'],
    replace: [['  if (!moved) return dropAttempt(deps, attempt);\n', '  void moved;\n']],
  },
  {
    name: 'a runner that lost its build removes the files of a build that it finished itself',
    module: 'core/build/drop-attempt.ts',
    breaks: ['I3'],
    replace: [["  if (!(current !== undefined && 'binDir' in current && current.binDir === running.binDir)) {", '  void current;\n  {']],
  },
  {
    name: 'expiry removes the files first',
    module: 'core/build/expire-build.ts',
    breaks: ['I3'],
    replace: [
      [
        '  const wasPublished = await removeAnswer(artifacts, expiring);\n',
        '  for (const binDir of attemptsOf(expiring)) await artifacts.remove(artifactKeys.files(binDir));\n' +
          '  const wasPublished = await removeAnswer(artifacts, expiring);\n',
      ],
    ],
  },
  {
    name: 'a message that could not be sent is never sent again',
    module: 'core/build/sweep.ts',
    breaks: ['I2'],
    replace: [
      ['  await each(await listed(() => sweep.unsent(unsentBefore, LIMIT, afterPause)), (build) => sendAgain(deps, build));\n', ''],
    ],
  },
  {
    name: 'builds whose lease has lapsed stay',
    module: 'core/build/sweep.ts',
    breaks: ['I2'],
    replace: [['  await each(lapsed.filter(isBuilding), (build) => recoverBuild(deps, build));\n', '']],
  },
  {
    name: 'the outcome is written after the row is done',
    module: 'core/build/finish-attempt.ts',
    breaks: ['I3'],
    replace: [
      ["  await artifacts.put(artifactKeys.success(running.binDir), document, recordMeta('application/json'));\n", ''],
      [
        '  await publishResult(deps, done, document);\n',
        "  await artifacts.put(artifactKeys.success(running.binDir), document, recordMeta('application/json'));\n" +
          '  await publishResult(deps, done, document);\n',
      ],
    ],
  },
  {
    name: 'a build is taken from a runner that has renewed its lease meanwhile',
    module: 'core/build/recover-build.ts',
    breaks: ['lease'],
    replace: [['await builds.transition(build, next, unrenewed(build))', 'await builds.transition(build, next)']],
  },
  {
    name: 'a result is answered after its expiry',
    module: 'core/build/build-status.ts',
    breaks: ['expiry'],
    replace: [
      [
        'const document = secondsLeft(build, timeOf(deps, build)) > 0 ? await resultOf(deps, build) : undefined;',
        'const document = await resultOf(deps, build);',
      ],
      ['if (document === undefined || left <= 0)', 'if (document === undefined)'],
    ],
  },
  {
    name: 'a build counts as sent although no message was',
    module: 'core/build/submit-build.ts',
    breaks: ['I2'],
    replace: [
      [
        '    onSendFailure?.(forLog(error, build), build);\n    return build;\n',
        '    onSendFailure?.(forLog(error, build), build);\n' +
          '    const { current } = await builds.transition(build, { ...build, sentAt: now().toISOString() });\n' +
          '    return current ?? build;\n',
      ],
    ],
  },
  {
    name: 'the failure document has the key of the result',
    module: 'core/build/artifact-keys.ts',
    breaks: ['I3', 'I4'],
    replace: [['/failure.json`', '/result.json`']],
  },
];

/** Returns the module's source with the change; throws when the module no longer has the text. */
export function mutated(source: string, { name, module, replace }: Mutation): string {
  return replace.reduce((text, [old, by]) => {
    if (text.split(old).length !== 2) throw new Error(`${module} does not have the text once that "${name}" replaces:\n${old}`);
    return text.replace(old, () => by);
  }, source);
}
