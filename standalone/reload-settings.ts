import type { Log } from '#observe/log.ts';
import { SettingsError } from '#settings/read-settings.ts';
import { newSettings } from './config/new-settings.ts';
import type { LoadedConfig, StandaloneConfig } from './config.ts';

/**
 * Reads the settings again, puts into force what a running server can take, and returns the settings in force. The log
 * names settings that need a restart. Settings that cannot be used change nothing.
 */
export function reloadSettings(
  running: StandaloneConfig,
  read: () => LoadedConfig,
  apply: (config: StandaloneConfig) => void,
  log: Log,
): StandaloneConfig {
  try {
    const { config: next, file, warnings } = read();
    const { config, changed, needRestart } = newSettings(running, next);
    apply(config);
    for (const warning of warnings) log.warn('setting has no effect', { warning });
    if (needRestart.length > 0) log.warn('settings changed that need a restart', { settings: needRestart });
    log.info('settings reloaded', { file: file ?? null, changed });
    return config;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    log.error('settings not reloaded: the old ones stay in force', { reasons: error.message.split('\n') });
    return running;
  }
}
