import type { BuildProblem } from './failure-analysis.ts';

/** The codes of the `errors` of a failed build. Each has one meaning, which the OpenAPI document lists. */
export const PROBLEM_CODES = {
  package_missing: 'No feed has the package. With `providers`, the name stands for any of these, and the request has to choose one.',
  dependency_missing: 'A package needs another one (`dependency`) that no feed has, or not in that version.',
  package_uninstallable: 'The package exists and cannot be installed on the device.',
  package_conflict: 'These packages exclude each other. A single one excludes itself.',
  file_clash: 'These packages bring the same files.',
  version_mismatch: 'The image would have another version of the package than `packages_versions` requires, or none.',
  script_failed: 'A script of the package failed while the image was made.',
  no_images: 'The ImageBuilder made no image of the device and reported no error.',
  image_too_big: 'The image, or its root file system, does not fit the device or its partition.',
  repository_untrusted: 'A repository of the request has no signature of a key in `repository_keys`.',
  repository_not_found: 'The server of a repository of the request has no package index at its address.',
  repositories_replaced: 'Packages are missing, and the repositories of the request replaced all others.',
  signature_invalid: 'A package index has no signature of a trusted key. Another attempt may succeed.',
  checksum_mismatch: 'A package is not what its index says. Another attempt may succeed.',
  download_failed: 'A package or a package index could not be downloaded. Another attempt may succeed.',
  files_missing: 'Files of a package are missing in the image, because the package lacks their directories.',
  profile_missing: 'The ImageBuilder does not know the profile.',
  filesystem_unavailable: 'The target does not have the file system.',
} as const satisfies Readonly<Record<BuildProblem['code'], string>>;
