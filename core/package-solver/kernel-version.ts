import type { LinuxKernel } from '#core/catalogue/catalogue.ts';

/** The last releases that join the parts with dashes. */
const DASHED = /^releases\/(?:1[0-9]|2[0-3])\./;

/**
 * Returns the version of the package `kernel`, on which each kernel module depends: with a tilde before the hash since
 * OpenWrt 24.10, before that with dashes.
 */
export const kernelVersion = ({ version, release, vermagic }: LinuxKernel, versionPath: string): string =>
  DASHED.test(versionPath) ? `${version}-${release}-${vermagic}` : `${version}~${vermagic}-r${release}`;
