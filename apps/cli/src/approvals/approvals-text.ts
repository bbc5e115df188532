import type { z } from 'zod';
import { table } from '../output/table.js';
import { visible } from '../output/visible.js';
import type { approvalSchema, ShownApproval } from './approvals-api.js';

type SeenApproval = z.infer<typeof approvalSchema>;

const byWhom = ({ requester: { kind, id } }: SeenApproval): string => (id === undefined ? kind : `${kind} ${id}`);

/** Calls in columns. */
export function approvalsText(approvals: readonly SeenApproval[]): string[] {
  if (approvals.length === 0) return ['There are none.'];
  const rows = approvals.map((one) => [
    one.id,
    one.state,
    `${one.server}/${one.tool}`,
    byWhom(one),
    one.rule,
    one.expires_at,
  ]);
  return table(['ID', 'STATE', 'TOOL', 'ASKED BY', 'RULE', 'UNTIL'], rows).map(visible);
}

/** Everything that somebody who decides must read. */
export function approvalText(one: ShownApproval): string[] {
  return [
    `${one.id}  ${one.state}, until ${one.expires_at}`,
    `tool       ${one.server}/${one.tool}`,
    `asked by   ${byWhom(one)}`,
    `rule       ${one.rule}`,
    ...(one.reason === null ? [] : [`reason     ${one.reason}`]),
    `arguments  ${JSON.stringify(one.arguments)}`,
  ].map(visible);
}
