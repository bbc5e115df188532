import { appendAudit, type AuditActor } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import type { TenantVault } from '#libs/secrets';
import { actorOf } from '../dispatch/audit-entries.js';
import type { MountedTool } from '../routing/route-tools.js';
import type { PlacedCall } from '../sessions/place.js';

/** What has to be approved, and under which rule. */
export interface ApprovalWanted {
  readonly rule: string;
  readonly message: string | null;
  readonly validSeconds: number;
  readonly selfApproval: boolean;
}

/** Calls of one tenant that may wait at once; further ones are refused. */
const WAITING_MAX = 1_000;
const ARGUMENT_BYTES_MAX = 262_144;

interface Open {
  readonly id: string;
  readonly state: 'pending' | 'approved' | 'refused';
  readonly expires_at: Date;
  readonly reason: string | null;
}

/** What of a call an approval is for: the same principal, client, tool of the same release, and arguments. */
interface Asked {
  readonly call: PlacedCall;
  readonly tool: MountedTool;
  readonly wanted: ApprovalWanted;
  readonly given: string;
  readonly digest: string;
}

/**
 * Calls that wait for a person. An approval is for one principal, client, tool, release and set of arguments, and for one
 * run: it is used up in the database before the call runs, so that of two gateways one runs it.
 *
 *     pending → approved → used
 *        │         └────→ expired
 *        ├─→ refused
 *        └─→ expired
 */
export class Approvals {
  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
  ) {}

  /**
   * Uses up the approval of a call, or asks for one.
   * @returns the approval's id
   * @throws AppError approval_required, with the approval to wait for; policy_denied where it was refused; too_large;
   *   rate_limited where too many calls wait
   */
  async use(call: PlacedCall, tool: MountedTool, wanted: ApprovalWanted): Promise<string> {
    const given = canonicalJson(call.exchange.given ?? {});
    if (Buffer.byteLength(given) > ARGUMENT_BYTES_MAX) {
      throw new AppError('too_large', {
        message: `A call that a person approves has at most ${ARGUMENT_BYTES_MAX} bytes of arguments. Send less.`,
        detail: { rule: wanted.rule },
      });
    }
    const release = call.route.mounts.find(({ serverSlug }) => serverSlug === tool.serverSlug)?.digest ?? '';
    const digest = sha256Digest(canonicalJson([call.principalBinding, tool.serverSlug, release, tool.name, given]));
    const asked = { call, tool, wanted, given, digest };
    const { tenantId } = call.tenant;
    const found = await this.database.asTenant(tenantId, (tx) => this.#useOrAsk(tx, tenantId, asked));
    if (typeof found === 'string') return found;
    if (found.state === 'refused') throw refused(found, asked);
    throw waiting(found, asked);
  }

  async #useOrAsk(tx: Transaction, tenantId: string, asked: Asked): Promise<string | Open> {
    const [used]: [Array<{ id: string }>, number] = await tx.query(
      `update approvals set state = 'used', used_at = now()
       where tenant_id = $1 and digest = $2 and state = 'approved' and expires_at > now() returning id`,
      [tenantId, asked.digest],
    );
    const [approval] = used;
    if (approval !== undefined) return approval.id;
    // One asks at a time, so that the bound holds and two of the same call ask once.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`approvals:${tenantId}`]);
    return (await this.#findOpen(tx, tenantId, asked.digest)) ?? this.#ask(tx, tenantId, asked);
  }

  /** What waits, or what was refused and would have waited still. */
  async #findOpen(tx: Transaction, tenantId: string, digest: string): Promise<Open | undefined> {
    const rows: Open[] = await tx.query(
      `select id, state, expires_at, reason from approvals where tenant_id = $1 and digest = $2
         and state in ('pending', 'refused') and expires_at > now() order by requested_at desc limit 1`,
      [tenantId, digest],
    );
    return rows[0];
  }

  async #ask(tx: Transaction, tenantId: string, asked: Asked): Promise<Open> {
    const { call, wanted, digest } = asked;
    const { serverSlug, name } = asked.tool;
    const { rule, validSeconds: seconds, selfApproval: own } = wanted;
    await requireFewWaiting(tx, tenantId, wanted);
    await expireSame(tx, tenantId, digest);
    const id = newId();
    const requester = actorOf(call.principal);
    const { dataKeyId, ciphertext } = await this.vault.seal(tx, tenantId, `approval:${id}`, asked.given);
    const rows: [Open] = await tx.query(
      `insert into approvals (tenant_id, id, digest, state, rule, requester, server, tool, data_key_id,
         sealed_arguments, valid_seconds, self_approval, expires_at)
       values ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $10::integer, $11, now() + make_interval(secs => $10::integer))
       returning id, state, expires_at, reason`,
      [tenantId, id, digest, rule, JSON.stringify(requester), serverSlug, name, dataKeyId, ciphertext, seconds, own],
    );
    await appendAudit(tx, tenantId, [requestedEntry(asked, id, requester, rows[0])]);
    return rows[0];
  }
}

async function requireFewWaiting(tx: Transaction, tenantId: string, { rule }: ApprovalWanted): Promise<void> {
  const rows: unknown[] = await tx.query(
    `select from approvals where tenant_id = $1 and state = 'pending' and expires_at > now() limit $2`,
    [tenantId, WAITING_MAX],
  );
  if (rows.length < WAITING_MAX) return;
  throw new AppError('rate_limited', {
    message: `${WAITING_MAX} calls of this organisation wait for approval already. Have them decided first.`,
    retryAfterSeconds: 60,
    detail: { rule },
  });
}

/** What is over and was not swept yet makes room for the next. */
async function expireSame(tx: Transaction, tenantId: string, digest: string): Promise<void> {
  const [expired]: [Array<{ id: string; rule: string; server: string; tool: string }>, number] = await tx.query(
    `update approvals set state = 'expired' where tenant_id = $1 and digest = $2 and state in ('pending', 'approved')
       and expires_at <= now() returning id, rule, server, tool`,
    [tenantId, digest],
  );
  const entries = expired.map(({ id, rule, server, tool }) => ({
    event: 'approval.expired' as const,
    actor: { kind: 'system' as const, id: 'gateway' },
    target: `approval:${id}`,
    outcome: 'ok' as const,
    details: { rule, server, tool },
  }));
  await appendAudit(tx, tenantId, entries);
}

function requestedEntry({ call, tool, wanted }: Asked, id: string, actor: AuditActor, { expires_at: at }: Open) {
  return {
    event: 'approval.requested' as const,
    actor,
    target: `approval:${id}`,
    outcome: 'ok' as const,
    sourceAddress: call.address,
    traceId: call.traceId,
    details: { rule: wanted.rule, server: tool.serverSlug, tool: tool.name, expires_at: at.toISOString() },
  };
}

function waiting({ id, expires_at: expires }: Open, { tool, wanted }: Asked): AppError {
  const until = expires.toISOString();
  return new AppError('approval_required', {
    message:
      `${wanted.message === null ? '' : `${ended(wanted.message)} `}The call of ${tool.name} has not run: a person has to ` +
      `approve it first. Tell the person you work for that approval ${id} is waiting until ${until}. Once it is ` +
      'approved, make the same call again, with exactly the same arguments.',
    data: { approval_id: id, expires_at: until },
    detail: { rule: wanted.rule, approval: id },
  });
}

function refused({ id, reason }: Open, { tool, wanted }: Asked): AppError {
  return new AppError('policy_denied', {
    message: `The call of ${tool.name} was refused by a person${reason === null ? '.' : `: ${ended(reason)}`} Do not repeat it.`,
    data: { approval_id: id },
    detail: { rule: wanted.rule, approval: id },
  });
}

/** What a person wrote, with the stop that a sentence after it needs. */
function ended(text: string): string {
  return /[.!?…]$/u.test(text) ? text : `${text}.`;
}
