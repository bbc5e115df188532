import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** The rooms table must bite: each of these lines, in that file, fails the lint. */
const FORBIDDEN: Array<[file: string, line: string]> = [
  ['apps/gateway/src/x.ts', `import { spawn } from 'node:child_process';`],
  ['apps/gateway/src/x.ts', `import { start } from '../../control-plane/src/main.js';`],
  ['apps/worker-runtime/src/intake/x.ts', `import { Database } from '#libs/database';`],
  ['apps/worker-runtime/src/intake/x.ts', `import { mintApiKey } from '#libs/identity';`],
  ['apps/worker-runtime/src/intake/x.ts', `import { enqueue } from '#libs/jobs';`],
  ['apps/worker-runtime/src/runner/x.ts', `import { createLogger } from '#libs/telemetry';`],
  ['apps/worker-runtime/src/runner/x.ts', `import { runInNewContext } from 'node:vm';`],
  ['apps/control-plane/src/servers/x.ts', `import { DataSource } from 'typeorm';`],
  ['apps/auth-server/src/accounts/x.ts', `import Provider from 'oidc-provider';`],
  ['libs/errors/src/x.ts', `import { Secret } from '#libs/config';`],
  ['libs/resilience/src/x.ts', `import { SharedRate } from '#libs/limits';`],
  ['apps/worker-runtime/src/intake/x.ts', `import { LocalRate } from '#libs/limits';`],
  ['libs/http/src/x.ts', `import { Database } from '#libs/database';`],
  ['apps/gateway/src/y.ts', `import { newId } from '#libs/database/src/new-id.js';`],
  ['apps/gateway/src/z.ts', `export const home = process.env['HOME'];`],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-rooms-'));
  for (const file of ['oxlint.config.ts', 'oxlint.rooms.ts']) copyFileSync(file, path.join(folder, file));
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(file: string, text: string): string {
  const target = path.join(folder, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  try {
    return execFileSync(process.execPath, [path.resolve('node_modules/oxlint/bin/oxlint'), file], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  } finally {
    rmSync(target);
  }
}

describe('the rooms table', () => {
  test.each(FORBIDDEN)('refuses in %s: %s', (file, line) => {
    expect(lint(file, `${line}\n`)).toMatch(/no-restricted-imports|no-process-env/);
  });

  test('lets a room import what its row allows', () => {
    const allowed = `import { AppError } from '#libs/errors';\n\n/** Throws. */\nexport function refuse(): never {\n  throw new AppError('forbidden');\n}\n`;
    expect(lint('apps/gateway/src/x.ts', allowed)).not.toMatch(/no-restricted-imports/);
  });
});
