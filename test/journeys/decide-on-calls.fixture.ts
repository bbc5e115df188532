import { expect } from '@jest/globals';
import type { HttpDoor } from '#libs/journey';

/** The command line of a tenant with a live server `books`, a key that it uses, and how its owner signs in. */
interface Deciding {
  cli(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  json(args: readonly string[]): Promise<Record<string, unknown>>;
  signInAsOwner(...more: readonly string[]): Promise<void>;
  readonly door: HttpDoor;
}

/** A call of the owner's own key waits: they may refuse it, and approve one once the rule lets them, who are alone. */
export async function decideOnCalls({ cli, json, signInAsOwner, door }: Deciding): Promise<void> {
  const rule = { scope: 'tool_calls', effect: 'require_approval', expression: 'true' };
  const ask = (self_approval: boolean) =>
    door.send({ method: 'PUT', path: '/v1/policies/ask-a-person', body: { ...rule, self_approval } });
  await ask(false);
  const call = (genre: string) => cli(['call', 'books__list_books', '--json', '-a', `genre=${genre}`]);
  const waits = async (genre: string): Promise<string> => {
    const { _meta: meta } = JSON.parse((await call(genre)).stdout) as {
      _meta: Record<string, { approval_id: string }>;
    };
    return meta['wharf/approval']?.approval_id ?? '';
  };
  const refused = await waits('poetry');
  await ask(true);
  const approved = await waits('novel');
  await signInAsOwner('--profile', 'person');
  const listed = await cli(['approvals', 'list']);
  expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining(`${approved}  pending  books/list_books`)]);
  expect((await cli(['approvals', 'show', approved])).stdout).toContain('"genre":"novel"');
  const said = await cli(['approvals', 'approve', approved, '--reason', 'Agreed.']);
  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('It is approved.')]);
  const alone = await cli(['approvals', 'approve', refused]);
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('Nobody else here may approve it.')]);
  expect(await json(['approvals', 'refuse', refused])).toMatchObject({ id: refused, state: 'refused' });
  expect((await cli(['approvals', 'approve', refused])).stderr).toContain('409');
  expect((await cli(['logout'])).code).toBe(0);
  expect((await call('novel')).code).toBe(0);
  await door.send({ method: 'DELETE', path: '/v1/policies/ask-a-person' });
}
