import { expect } from '@jest/globals';

/** The command line of a tenant. */
interface Commands {
  cli(
    args: readonly string[],
    input?: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  json(args: readonly string[]): Promise<Record<string, unknown>>;
}

/** A secret is written twice, its first value is used again, and it is deleted; no value is ever shown. */
export async function writeAndRestoreSecret({ cli, json }: Commands): Promise<void> {
  const stored = await cli(['secrets', 'set', 'shop-key'], 'example-value\n');
  expect([stored.code, stored.stdout]).toEqual([0, expect.stringContaining('version 1')]);
  await cli(['secrets', 'set', 'shop-key'], 'another-example\n');
  const restored = await cli(['secrets', 'restore', 'shop-key', '1']);
  expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining('of version 1 again, as version 3')]);
  const listed = await cli(['secrets', 'list']);
  expect(listed.stdout).toContain('shop-key');
  const versions = await cli(['secrets', 'versions', 'shop-key']);
  expect(versions.stdout).toMatch(/3 +in use, as 1 .*api-key/);
  expect((await json(['secrets', 'versions', 'shop-key']))['versions']).toMatchObject([
    { version: 3, current: true },
    { version: 2, current: false },
    { version: 1, current: false },
  ]);
  expect((await cli(['secrets', 'restore', 'shop-key', '3'])).stderr).toContain('is the one in use');
  expect((await cli(['secrets', 'delete-version', 'shop-key', '3'])).stderr).toContain('is the one in use');
  const gone = await cli(['secrets', 'delete-version', 'shop-key', '2']);
  expect([gone.code, gone.stdout]).toEqual([0, expect.stringContaining('Version 2 of shop-key is deleted.')]);
  expect((await json(['secrets', 'versions', 'shop-key']))['versions']).toMatchObject([{ version: 3 }, { version: 1 }]);
  for (const { stdout, stderr } of [stored, restored, listed, versions])
    expect(stdout + stderr).not.toMatch(/example-value|another-example/);
  expect((await cli(['secrets', 'delete', 'shop-key'])).code).toBe(0);
}
