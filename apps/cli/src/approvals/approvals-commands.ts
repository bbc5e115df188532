import { Option } from 'commander';
import { z } from 'zod';
import { queryOf } from '#libs/journey';
import type { AddCommands, Run } from '../commands/command.js';
import { approvalsText, approvalText } from './approvals-text.js';
import { approvalSchema, shownSchema } from './approvals-api.js';

const pageSchema = z.object({ approvals: z.array(approvalSchema) });

const STATES = ['pending', 'approved', 'refused', 'used', 'expired'];

interface Why {
  readonly reason?: string;
}

/** `wharf approvals list|show|approve|refuse`: with a key one looks, and a person who is signed in decides. */
export const addApprovals: AddCommands = (program, run) => {
  const approvals = program.command('approvals').description('calls that wait for a person');
  approvals
    .command('list')
    .description('what waits, newest first')
    .addOption(new Option('--state <state>', 'what has come of them').choices(STATES).default('pending'))
    .action(({ state }: { state: string }) => list(run(), state));
  approvals
    .command('show <id>')
    .description('one call, with its arguments')
    .action((id: string) => show(run(), id));
  approvals
    .command('approve <id>')
    .description('let it run once; by a person, and never by whoever made the call')
    .option('--reason <text>', 'why, for whoever reads it later')
    .action((id: string, why: Why) => decide(run(), id, 'approve', why));
  approvals
    .command('refuse <id>')
    .description('keep it from running')
    .option('--reason <text>', 'why; whose call it is reads it')
    .action((id: string, why: Why) => decide(run(), id, 'refuse', why));
};

const pathOf = (id: string): string => `/v1/approvals/${encodeURIComponent(id)}`;

async function list(run: Run, state: string): Promise<void> {
  const door = await (await run.session()).door();
  const path = `/v1/approvals${queryOf({ state, limit: 100 })}`;
  const { approvals } = await door.ask({ method: 'GET', path }, pageSchema);
  run.output.result({ approvals }, approvalsText(approvals));
}

async function show(run: Run, id: string): Promise<void> {
  const door = await (await run.session()).door();
  const approval = await door.ask({ method: 'GET', path: pathOf(id) }, shownSchema);
  run.output.result(approval, approvalText(approval));
}

async function decide(run: Run, id: string, decision: 'approve' | 'refuse', { reason }: Why): Promise<void> {
  const door = await (await run.session()).door();
  const body = reason === undefined ? {} : { reason };
  const approval = await door.ask({ method: 'POST', path: `${pathOf(id)}/${decision}`, body }, approvalSchema);
  const next = `Its agent may make the same call once, until ${approval.expires_at}.`;
  run.output.result(approval, decision === 'approve' ? `It is approved. ${next}` : 'It is refused.');
}
