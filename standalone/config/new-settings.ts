import { isDeepStrictEqual } from 'node:util';
import type { StandaloneConfig } from '../config.ts';
import { SETTING_NAMES, type SettingName, settingFacts } from './settings.ts';

export interface NewSettings {
  /** The settings in force from now on: new values where a running server can take them, old values elsewhere. */
  readonly config: StandaloneConfig;
  readonly changed: readonly SettingName[];
  readonly needRestart: readonly SettingName[];
}

/** What a running server takes from settings that were read again. */
export function newSettings(running: StandaloneConfig, read: StandaloneConfig): NewSettings {
  const different = SETTING_NAMES.filter((name) => !isDeepStrictEqual(running[name], read[name]));
  const changed = different.filter((name) => settingFacts(name).reloads);
  return {
    config: { ...running, ...Object.fromEntries(changed.map((name) => [name, read[name]])) },
    changed,
    needRestart: different.filter((name) => !settingFacts(name).reloads),
  };
}
