import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';

/** Runs a program as `npm run` does; without a database, for none may be touched before its options are read. */
function run(name: string, ...args: readonly string[]) {
  const program = path.resolve('dist/apps/local/src', name, 'main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { WHARF_DATA_DIR: '/nonexistent' },
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test.each(['backup', 'restore'])('%s --help prints what it can be told', (name) => {
  for (const help of ['--help', '-h']) {
    const { status, stdout, stderr } = run(name, help);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Use: npm run ${name} -- --`));
    expect(stdout).toMatch(/^ {2}--keys-(?:to|from) ANOTHER_FOLDER/m);
  }
});

test.each([
  ['backup', ['--form', 'x'], /^Unknown option '--form'/],
  ['backup', [], /^No folder is named\./],
  ['backup', ['--to', 'x', '--keep', '3'], /^--to stands alone/],
  ['backup', ['--below', 'x', '--keep', 'all'], /^--below needs --keep/],
  ['restore', ['--form', 'x'], /^Unknown option '--form'/],
  ['restore', ['folder'], /^Unexpected argument 'folder'/],
  ['restore', ['--from'], /^Option '--from <value>' argument missing/],
  ['restore', [], /^No folder is named\./],
] as const)('%s %j says what is wrong, and then what it can be told', (name, args, fault) => {
  const { status, stdout, stderr } = run(name, ...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(fault);
  expect(stderr).toContain(`\n\nUse: npm run ${name} -- --`);
  expect(stderr).not.toMatch(/\n +at /);
});
