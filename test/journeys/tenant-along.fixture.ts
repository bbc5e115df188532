import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';

/** The command line as a person has it, who is signed in, and a key beside them. */
interface SignedIn {
  cli(
    args: readonly string[],
    input?: string,
    extra?: NodeJS.ProcessEnv,
  ): Promise<{ readonly code: number; readonly stderr: string }>;
  json(args: readonly string[], input?: string): Promise<Record<string, unknown>>;
  readonly folder: string;
  readonly key: NodeJS.ProcessEnv;
}

/** The owner's whole tenant in one file, which is as the installation says; a key gets none, and decides on nothing. */
export async function takeTheTenantAlong({ cli, json, folder, key }: SignedIn): Promise<void> {
  const passphrase = 'a long passphrase of the owner';
  const args = ['tenant', 'export', '--out', 'tenant.zip'];
  expect((await cli(args, 'short')).stderr).toContain('fewer than 16 characters');
  const exported = await json(args, `${passphrase}\n`);
  const bytes = readFileSync(path.join(folder, 'tenant.zip'));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect([bytes.subarray(0, 2).toString(), exported]).toEqual(['PK', expect.objectContaining({ sha256 })]);
  expect(readdirSync(folder)).not.toContain('tenant.zip.part');
  expect((await cli(args, passphrase)).stderr).toContain('is there already');
  const refused = await cli(['tenant', 'export', '--out', 'other.zip', '--without-secrets'], '', key);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('tenant.export')]);
  expect(await json(['approvals', 'list'])).toEqual({ approvals: [] });
  const decided = await cli(['approvals', 'approve', '019aa000-0000-7000-8000-000000000000'], '', key);
  expect([decided.code, decided.stderr]).toEqual([1, expect.stringContaining('A person must decide')]);
}
