import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';

/** What builds reach of this machine, for people: a line each, and how to have it better. */
export function describeSandbox({ level, network, memory, tmp, unsigned }: SandboxFacts, memoryMegabytes: number): string {
  const lines = [
    `  network    ${
      network === 'none'
        ? 'none: packages are fetched for builds, and nothing else is'
        : 'shared: package scripts reach the loopback, private addresses, abstract sockets and the credentials of a cloud that this machine reaches'
    }`,
    `  memory     ${memoryMegabytes} MB for a build, ${memory === 'watched' ? 'watched: between two looks it may take more' : `held by the kernel (${memory})`}`,
    `  /tmp       ${tmp === 'own' ? 'of its own, and bounded' : 'in its tree; what it leaves in the /tmp of this machine is removed by owner, if that is another'}`,
    `  unsigned   ImageBuilders without a known signature are ${unsigned === 'refused' ? 'refused: builds have our own user' : 'built'}`,
  ];
  const isWeak = network === 'shared';
  return [
    `How builds are kept from this machine: sandbox ${level}`,
    ...lines,
    ...(isWeak ? ['', 'Better: install bubblewrap, and allow user namespaces (in a container: those of docs/deployments.md).'] : []),
  ].join('\n');
}
