import { ConfigError, processEnvironment } from '#libs/config';
import { EmbeddedError } from '#libs/embedded';
import { collectAlone } from '#libs/http';
import { withMasterKeys } from '#libs/root-keys';
import { MigrationError } from '#migrations';
import { BackupError } from './backup/backup-error.js';
import { parseLocalConfig } from './config.js';
import { startPlatform, type Platform } from './platform.js';
import { screen } from './screen.js';

/** Errors whose sentence says what to do. */
const EXPLAINED = [EmbeddedError, ConfigError, MigrationError, BackupError] as const;

/** Ends the process when asked to: once in order, twice at once. A launcher that vanished asks by closing its channel. */
function stopWhenAsked(starting: Promise<Platform>): void {
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(1);
    asked = true;
    if (process.stdout.isTTY) process.stdout.write('\n  Stopping …\n');
    starting
      .then((platform) => platform.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`\n  Wharf did not stop in order. ${sentenceOf(error)}\n\n`);
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
}

function sentenceOf(error: unknown): string {
  if (EXPLAINED.some((kind) => error instanceof kind)) return (error as Error).message; // they are all errors
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

collectAlone();
const environment = processEnvironment();
try {
  const starting = withMasterKeys(environment).then((opened) => startPlatform(parseLocalConfig(opened), opened));
  stopWhenAsked(starting);
  const platform = await starting;
  process.stdout.write(screen(platform, process.uptime()));
  process.send?.({ ready: true, url: platform.url });
} catch (error) {
  process.stderr.write(`\n  Wharf could not start. ${sentenceOf(error)}\n\n`);
  process.exit(1);
}
