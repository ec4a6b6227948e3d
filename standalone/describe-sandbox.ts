import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';

/** What builds reach of this machine, in lines for people, and how to keep them further from it. */
export function describeSandbox({ level, network, memory, tmp, unsigned }: SandboxFacts, memoryMegabytes: number): string {
  const lines = [
    `  network    ${
      network === 'none'
        ? 'none: the server fetches packages for builds, and nothing else'
        : 'shared: package scripts reach the loopback, private addresses, abstract sockets, and the credentials of a cloud where this machine has them'
    }`,
    `  memory     ${memoryMegabytes} MB for a build, ${memory === 'watched' ? 'watched: for a quarter of a second it may take more' : `held by the kernel (${memory})`}`,
    `  /tmp       ${tmp === 'own' ? 'of its own, and bounded' : 'in its tree; a build can write to that of this machine, and what it leaves there is removed where it has a user of its own'}`,
    `  unsigned   ImageBuilders without a known signature are ${unsigned === 'refused' ? "refused: builds have the server's own user" : 'run'}`,
  ];
  return [
    `How builds are kept from this machine: sandbox ${level}`,
    ...lines,
    ...(network === 'shared' ? ['', 'Better: install bubblewrap, and allow user namespaces (docs/deployments.md, Security).'] : []),
  ].join('\n');
}
