import type { BuildOrder } from '#core/build/build-order.ts';
import { makeImageCommand } from '#core/imagebuilder/commands.ts';
import { repositoryFile } from '#core/imagebuilder/repository-file.ts';

/**
 * Throws `UnsafeArgumentError` for an order with anything that make or a shell would read as syntax, before a byte is
 * downloaded or written for it. The commands themselves check again.
 */
export function checkOrder({ request, requestHash }: BuildOrder): void {
  makeImageCommand({
    profile: request.profile,
    packages: request.packages,
    extraImageName: requestHash,
    binDir: '/builder/bin',
    ...(request.rootfs_size_mb === null ? {} : { rootfsSizeMb: request.rootfs_size_mb }),
    ...(request.filesystem === null ? {} : { filesystem: request.filesystem }),
  });
  // The check uses apk's rules, and an empty file: the ImageBuilder itself determines which names are taken.
  repositoryFile({ original: '', usesApk: true, repositories: request.repositories, mode: request.repositories_mode });
}
