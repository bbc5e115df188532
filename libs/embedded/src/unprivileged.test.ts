import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { isRoot, unprivileged } from './unprivileged.js';

// The case is root's alone: with another user, nothing changes.
const asRoot = isRoot() && process.platform === 'linux' ? test : test.skip;

asRoot('a program in a folder that only root may enter is found and run by a user who is not root', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-private-'));
  try {
    const program = path.join(folder, 'true');
    copyFileSync('/bin/true', program);
    const script = 'fs.accessSync(process.argv[1], fs.constants.X_OK); process.stdout.write(String(process.getuid()))';
    const { command, args } = unprivileged(process.execPath, ['-e', script, program], [folder]);
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: {} });
    expect({ stdout, stderr }).toEqual({ stdout: '65534', stderr: '' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
