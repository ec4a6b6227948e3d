import { resolve } from 'node:path';
import type { SettingName } from './settings.ts';

/** The same settings under the names of the builder document (`config.yaml`, or a variable with `ASU_` before it). */
export const ALIASES: Readonly<Record<string, readonly SettingName[]>> = {
  SERVER_HOST: ['HOST'],
  SERVER_PORT: ['PORT'],
  JOB_TIMEOUT_SECONDS: ['JOB_TIMEOUT'],
  /** The builder document has one time for all results. */
  BUILD_TTL_SECONDS: ['BUILD_TTL', 'BUILD_TTL_UNVERSIONED'],
  FAILURE_TTL_SECONDS: ['BUILD_FAILURE_TTL'],
};

/** A setting of the reference server or of the builder document that has no meaning here. */
export interface ForeignSetting {
  /** Why, and what to do instead. */
  readonly instead: string;
  /**
   * Whether the server warns of this value instead of refusing it, as it asks for nothing that is missing here. `other`
   * returns a setting as it was given.
   */
  readonly harmless?: (value: string, other: (name: SettingName) => string | undefined) => boolean;
}

const NO_CONTAINERS = 'builds run without containers, in namespaces of their own (SANDBOX)';
const TARBALLS =
  'ImageBuilders are downloaded as tarballs from UPSTREAM_URL; for ones of your own point UPSTREAM_URL to a server that has them';
const NO_S3 = 'images are on disk here (PUBLIC_PATH); S3 is for running as services or on AWS';
/** The reference server does not read these either while `store_backend` is local. */
const s3: ForeignSetting = { instead: NO_S3, harmless: () => true };
const image: ForeignSetting = { instead: TARBALLS, harmless: (value) => value === 'ghcr.io/openwrt/imagebuilder' };

/**
 * Settings of the reference server (docs/configuration.md), read from variables with and without `ASU_`, as the
 * reference server does.
 */
export const REFERENCE_SETTINGS: Readonly<Record<string, ForeignSetting>> = {
  REDIS_URL: {
    instead: 'there is no Redis here: queue and state are in a SQLite file (ASU_DATABASE_PATH), nothing else has to run; take it out',
  },
  CACHE_URL: {
    instead: 'packages and ImageBuilders are cached on disk (IMAGEBUILDER_CACHE_MB); to use a cache of your own, let UPSTREAM_URL name it',
  },
  ASYNC_QUEUE: {
    instead: 'builds are always queued and done in the background; take it out',
    harmless: (value) => /^(true|1|yes|on|y|t)$/i.test(value),
  },
  BRANCHES_FILE: {
    instead: 'the reference server never read it; set branches with BRANCHES, or with tables [branches."24.10"] in asu.toml',
  },
  BASE_CONTAINER: image,
  CONTAINER_IDENTITY: { instead: `${NO_CONTAINERS}, on this machine; for builds on others run as services; take it out` },
  STORE_BACKEND: { instead: NO_S3, harmless: (value) => value === 'local' },
  S3_ENDPOINT: s3,
  S3_BUCKET: s3,
  S3_ACCESS_KEY: s3,
  S3_SECRET_KEY: s3,
  S3_REGION: s3,
  S3_PUBLIC_URL: s3,
};

/** Settings of the builder document. Its variables always begin with `ASU_`. */
export const BUILDER_SETTINGS: Readonly<Record<string, ForeignSetting>> = {
  STORE_PATH: {
    instead: 'images are in `store` below PUBLIC_PATH; set PUBLIC_PATH to the directory above',
    harmless: (value, other) => resolve(value) === resolve(other('PUBLIC_PATH') ?? `${other('ASU_DATA_DIR') ?? './data'}/public`, 'store'),
  },
  CONTAINER_RUNTIME: { instead: NO_CONTAINERS, harmless: () => true },
  CONTAINER_SOCKET_PATH: {
    instead: `${NO_CONTAINERS}, on this machine; for builds on others run as services; take it out`,
    harmless: (value) => /^(\/var)?\/run\/(user\/\d+\/)?(podman\/podman|docker)\.sock$/.test(value),
  },
  IMAGEBUILDER_REGISTRY: image,
  WORKER_ID: { instead: 'every attempt at a build gets a name of its own', harmless: () => true },
  PACKAGE_CHANGES_URL: {
    instead: 'package changes are part of this server, which answers POST /apply itself; take it out',
    harmless: (value) => value === 'http://localhost:8081',
  },
};

export const FOREIGN_SETTINGS: Readonly<Record<string, ForeignSetting>> = { ...REFERENCE_SETTINGS, ...BUILDER_SETTINGS };
