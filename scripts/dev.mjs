// Starts the platform and starts it again, on the same data, when a source file changes.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import path from 'node:path';
import { build, root, sources } from './build.mjs';

const QUIET_MS = 150;

/** Runs until stopped; a file that does not compile leaves the running platform as it is. */
export async function dev() {
  let child;
  let timer;
  let turn = Promise.resolve();

  const stop = async () => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  };
  const restart = async () => {
    try {
      await build();
    } catch (error) {
      process.stderr.write(`\n  ${error.message}\n`);
      return;
    }
    await stop();
    child = spawn(process.execPath, ['--enable-source-maps', path.join(root, 'dist/apps/local/src/main.js')], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (turn = turn.then(restart)), QUIET_MS);
  };

  for (const folder of sources) {
    watch(path.join(root, folder), { recursive: true }, (_, file) => {
      if (file?.endsWith('.ts') && !file.endsWith('.test.ts')) later();
    });
  }
  process.on('SIGINT', () => stop().then(() => process.exit(0)));
  process.on('SIGTERM', () => stop().then(() => process.exit(0)));
  process.on('disconnect', () => stop().then(() => process.exit(0)));
  await restart();
}
