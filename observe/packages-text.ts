/** Returns the packages of an image as one text for the log: `base-files 1.0, busybox 1.36.1-r2`. */
export const packagesText = (packages: readonly { readonly name: string; readonly version: string }[]): string =>
  packages
    .map(({ name, version }) => `${name} ${version}`)
    .sort()
    .join(', ');
