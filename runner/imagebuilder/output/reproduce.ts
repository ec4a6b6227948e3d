import type { BuildOrder } from '#core/build/build-order.ts';
import { DEFAULT_DISTRO } from '#core/catalogue/distro.ts';
import { repositoryKeyFiles } from '#core/request/repository-keys.ts';
import type { PreparedTree } from '../tree/prepare-tree.ts';
import { shellQuote } from './shell-quote.ts';

/**
 * Returns the text of a script that makes this build's images by hand, without this server: with the ImageBuilder and
 * the packages of the upstream that the build used, which may be a mirror.
 */
export function reproduceScript(
  order: BuildOrder,
  command: readonly string[],
  { repositories, switchedOff }: Pick<PreparedTree, 'repositories' | 'switchedOff'>,
  upstreamUrl: string,
): string {
  const { request, imagebuilder } = order;
  const url = `${upstreamUrl}/${order.versionPath}/targets/${request.target}/${imagebuilder.name}`;
  const files: { path: string; content: string }[] = [
    ...repositoryKeyFiles(request.repository_keys),
    ...(repositories === undefined ? [] : [{ path: repositories.name, content: repositories.text }]),
    ...(request.defaults ? [{ path: 'files/etc/uci-defaults/99-asu-defaults', content: request.defaults }] : []),
  ];
  const make = command
    .map((word) =>
      word.startsWith('BIN_DIR=') ? `"BIN_DIR=$PWD/bin"` : word.startsWith('FILES=') ? `"FILES=$PWD/files"` : shellQuote(word),
    )
    .join(' \\\n  ');
  return [
    '#!/bin/sh',
    `# ${request.distro === DEFAULT_DISTRO ? 'OpenWrt' : request.distro} ${request.version} (${order.revision}) for ${request.target}, ${request.profile}`,
    `# request ${order.requestHash}`,
    'set -eu',
    'umask 022',
    `wget -c ${shellQuote(url)}`,
    `echo ${shellQuote(`${imagebuilder.sha256}  ${imagebuilder.name}`)} | sha256sum -c -`,
    `mkdir -p imagebuilder && tar -xf ${shellQuote(imagebuilder.name)} -C imagebuilder --strip-components=1`,
    'cd imagebuilder',
    ...files.flatMap(({ path, content }) => [
      `mkdir -p "$(dirname ${shellQuote(path)})"`,
      `printf %s ${shellQuote(content)} > ${shellQuote(path)}`,
    ]),
    ...switchedOff.map((line) => `sed -i ${shellQuote(`s/^${line}$/# ${line.split('=')[0]} is not set/`)} .config`),
    make,
    '',
  ].join('\n');
}
