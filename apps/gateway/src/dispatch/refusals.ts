import { LRUCache } from 'lru-cache';
import type { DetailsOf, UnplacedRefusals } from '#libs/audit';
import type { AppError } from '#libs/errors';
import type { Principal } from '#libs/identity';
import type { AuditSpool } from '../audit-spool/audit-spool.js';
import type { RoutedCall } from '../routing/route-table.js';
import type { Exchange } from '../edge/exchange.js';
import { keyUseEntry, refusalEntry } from './audit-entries.js';
import { tenths } from './call-outcome.js';

/** Refusals that a tenant wants to find in its log; a call that is only malformed is the client's own affair. */
const RECORDED = new Set([
  'unauthenticated',
  'insufficient_scope',
  'forbidden',
  'tenant_suspended',
  'rate_limited',
  'session_not_found',
]);
/** What a tenant's own rules say. */
const DENIED = new Set(['policy_denied', 'approval_required']);
/** How far a refused call came. */
interface RefusedCall {
  readonly principal?: Principal;
  readonly exchange?: Exchange;
}

const IN_A_MINUTE_MAX = 60;
const MINUTE_MS = 60_000;

/** Notes refused calls and key uses in the audit log, bounded, so that a flood of them does not become a flood there. */
export class Refusals {
  readonly #noted = new LRUCache<string, number>({ max: 10_000, ttl: MINUTE_MS, noUpdateTTL: true });
  readonly #keysUsed = new LRUCache<string, true>({ max: 20_000, ttl: MINUTE_MS });

  constructor(
    private readonly spool: AuditSpool,
    private readonly unplaced: Pick<UnplacedRefusals, 'note'>,
  ) {}

  /** Counts a call at a URL where no tenant's server is. */
  noteUnplaced(error: AppError, address: string): void {
    if (error.code === 'not_found') this.unplaced.note('url_unknown', address);
  }

  /** Notes a refusal; at most 60 of a tenant in a minute. */
  note(error: AppError, call: RoutedCall, { principal, exchange }: RefusedCall): void {
    const denied = DENIED.has(error.code);
    if ((!denied && !RECORDED.has(error.code)) || call.credential.kind === 'none') return;
    const noted = this.#noted.get(call.tenant.tenantId) ?? 0;
    if (noted >= IN_A_MINUTE_MAX) return;
    this.#noted.set(call.tenant.tenantId, noted + 1);
    const { approval, why } = error.detail ?? {};
    const details: DetailsOf<'call.denied'> = {
      rule: ruleOf(error),
      ...(typeof approval === 'string' ? { approval } : {}),
      ...(denied && typeof why === 'string' ? { why } : {}),
      ...statusOf(error, call),
      duration_ms: tenths(performance.now() - call.startedMs),
    };
    const event = denied ? 'call.denied' : 'call.refused';
    this.spool.note(refusalEntry(event, call, principal, exchange), { outcome: error.code, details });
  }

  /** Notes that an API key was used; at most once a minute for each key. */
  noteKeyUse(keyId: string, call: RoutedCall): void {
    if (this.#keysUsed.has(keyId)) return;
    this.#keysUsed.set(keyId, true);
    this.spool.note(keyUseEntry(call, keyId), { outcome: 'ok', details: {} });
  }
}

/** A call that waits is answered with a result of its tool, where its transport answers it. */
function statusOf(error: AppError, { target }: RoutedCall): { http_status: number; rpc_code?: number } {
  if (error.code === 'approval_required' && target.transport === 'http') return { http_status: 200 };
  return { http_status: error.status, rpc_code: error.jsonRpcCode };
}

/** What decided: the limit, scope or policy that the refusal names, or what the error itself is about. */
function ruleOf(error: AppError): string {
  const named = error.detail?.['rule'];
  return typeof named === 'string' ? named : error.code;
}
