import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { unpackDistributionPackage } from './distribution-package.js';

test('who asks for the same package at the same time waits for one fetch of it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-package-'));
  const searched = process.env['PATH'];
  const program = (name: string, text: string): void => {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(path.join(folder, name), 0o755);
  };
  try {
    program(
      'apt-get',
      `for word in "$@"; do case "$word" in
  update) echo update >> "${folder}/calls" ;;
  install) echo 'Inst server (1.0)' ;;
  download) : > server_1.0.deb ;;
esac; done`,
    );
    program('dpkg', 'mkdir -p "$3/usr/bin" && : > "$3/usr/bin/server"');
    process.env['PATH'] = `${folder}:${searched}`;
    const unpacked = path.join(folder, 'server');
    await Promise.all([1, 2, 3].map(async () => unpackDistributionPackage('server', unpacked)));
    expect(readdirSync(path.join(unpacked, 'usr', 'bin'))).toEqual(['server']);
    expect(readFileSync(path.join(folder, 'calls'), 'utf8')).toBe('update\n');
    expect(readdirSync(folder).toSorted()).toEqual(['apt-get', 'calls', 'dpkg', 'server']);
  } finally {
    process.env['PATH'] = searched;
    rmSync(folder, { recursive: true, force: true });
  }
});
