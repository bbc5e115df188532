import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import { until, type Wharf } from '#libs/testing';

/** The command line of somebody who has an archive of a tenant, and the key of an operator. */
interface Operating {
  cli(
    args: readonly string[],
    input?: string,
    extra?: NodeJS.ProcessEnv,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  readonly folder: string;
  readonly wharf: Wharf;
}

/** A verifier key that signed nothing: its name, four bytes of its hash, and the key with the byte of its kind before it. */
const NOBODYS = `elsewhere.example+00000000+${Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]).toString('base64')}`;

/** An import that was refused for keys that nobody trusts is seen, and tried again, from the command line. */
export async function retryAnImport({ cli, folder, wharf }: Operating): Promise<void> {
  const operator = { WHARF_URL: wharf.url, WHARF_OPERATOR_KEY: wharf.operatorKey };
  const archive = readFileSync(path.join(folder, 'tenant.zip'));
  const ask = async (method: string, at: string, body: unknown): Promise<{ id: string; state: string }> => {
    const bytes = body instanceof Buffer;
    const answer = await fetch(`${wharf.url}/admin/v1/imports${at}`, {
      method,
      headers: {
        authorization: `Bearer ${wharf.operatorKey}`,
        ...(body === undefined ? {} : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: bytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as { id: string; state: string }; // as its schema says
  };
  const failed = (id: string) =>
    until(async () => (await ask('GET', `/${id}`, undefined)).state === 'failed', 'the import to be refused');
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const wanted = { bytes: archive.length, sha256, signed_by: [NOBODYS], reason: 'they move' };
  const { id } = await ask('POST', '', wanted);
  await ask('PUT', `/${id}/parts/0`, archive);
  await ask('POST', `/${id}/begin`, { reason: 'they move' });
  await failed(id);

  const nobody = await cli(['imports', 'list'], '', { WHARF_URL: wharf.url });
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('WHARF_OPERATOR_KEY')]);
  expect((await cli(['imports', 'list'], '', operator)).stdout).toMatch(
    new RegExp(`${id} +failed, can be tried again`),
  );
  const shown = await cli(['imports', 'show', id], '', operator);
  expect(shown.stdout).toMatch(/failed {3}.*[Kk]ey[^]*wharf imports retry/);
  const unsaid = await cli(['imports', 'retry', id], '', operator);
  expect([unsaid.code, unsaid.stderr]).toEqual([1, expect.stringContaining('--reason')]);
  const again = await cli(['imports', 'retry', id, '--slug', 'again', '--reason', 'once more', '--json'], '', operator);
  expect([again.code, JSON.parse(again.stdout)]).toEqual([0, expect.objectContaining({ id, slug: 'again' })]);
  await failed(id);
}
