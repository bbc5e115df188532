import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIBRARIES } from '../../oxlint.rooms.js';

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

function lint(file: string, text: string, beside: Readonly<Record<string, string>> = {}): string {
  const written = Object.entries({ [file]: text, ...beside }).map(([name, content]) => {
    const target = path.join(folder, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
    return target;
  });
  try {
    return execFileSync(process.execPath, [path.resolve('node_modules/oxlint/bin/oxlint'), file], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  } finally {
    for (const target of written) rmSync(target);
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

describe('imports go down', () => {
  const second = `import type { First } from './first.js';\n\n/** Second. */\nexport type Second = First | 2;\n`;
  const first = (imported: string): string => `${imported}\n/** First. */\nexport type First = 1;\n`;

  test('files that import each other are refused, also where only types are imported', () => {
    const circle = first(`import type { Second } from './second.js';\n`);
    const beside = { 'apps/gateway/src/second.ts': second };
    expect(lint('apps/gateway/src/first.ts', circle, beside)).toMatch(/no-cycle/);
    expect(lint('apps/gateway/src/first.ts', first(''), beside)).not.toMatch(/no-cycle/);
  });

  test('a library stands below those that import it', () => {
    const rows: Readonly<Record<string, readonly string[]>> = LIBRARIES;
    const below = (library: string, above: readonly string[]): string[] =>
      above.includes(library)
        ? [[...above, library].join(' → ')]
        : (rows[library] ?? []).flatMap((next) => below(next, [...above, library]));
    expect(Object.keys(rows).flatMap((library) => below(library, []))).toEqual([]);
  });
});
