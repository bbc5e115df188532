import { AppError } from '#libs/errors';
import type { ApprovalRow } from './approvals.repository.js';

/** Somebody would approve what they asked for; where nobody else may, they are told how to change that. */
export function itIsTheirOwn(row: ApprovalRow, mayAnybodyElse: boolean): AppError {
  const who = WHOSE[String(row.requester['kind'])] ?? 'You made this call yourself.';
  const next = mayAnybodyElse
    ? 'Somebody else has to approve it: another owner or admin.'
    : `Nobody else here may approve it. Invite a second owner or admin (\`POST /v1/invitations\`), or ${otherwise(row)}.`;
  return new AppError('forbidden', { message: `${who} ${next}` });
}

/** Whoever would approve may have made the call: whose key or client it was made with is not known. */
export function nobodyKnowsWhose({ requester }: ApprovalRow): AppError {
  const what = requester['kind'] === 'client' ? 'The client' : 'The API key';
  return new AppError('forbidden', {
    message: `${what} of this call is gone, or was made while this platform was updated: nobody can tell whose it is. Refuse the call; where it is still wanted, have it made again with a new one.`,
  });
}

/** Something is decided that is over. */
export function noLongerWaits({ state }: ApprovalRow): AppError {
  return new AppError('conflict', {
    message: `This call no longer waits: it is ${state}. Where it is still wanted, its agent makes it again.`,
  });
}

const WHOSE: Readonly<Record<string, string>> = {
  'api-key': 'This call was made with an API key of yours.',
  client: 'This call was made by a client whose secret or keys were given to you.',
};

const POLICY = 'policy:';

function otherwise({ rule, server }: ApprovalRow): string {
  return rule.startsWith(POLICY)
    ? `set \`self_approval\` of the policy ${rule.slice(POLICY.length)}, or switch it off, and have the call made again`
    : `set \`approves_destructive\` of the server ${server} to false and have the call made again`;
}
