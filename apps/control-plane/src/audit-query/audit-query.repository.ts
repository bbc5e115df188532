import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A row of `audit_records`. */
export interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly event: string;
  readonly actor: { readonly kind: string } & Record<string, unknown>;
  readonly target: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
  readonly source_address: string | null;
  readonly trace_id: string | null;
}

/** What a reader looks for; what is absent does not narrow. */
export interface AuditFilter {
  readonly event?: string | undefined;
  readonly actor?: { readonly kind?: string; readonly id: string } | undefined;
  readonly target?: string | undefined;
  readonly outcome?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Records before this id. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** The audit log of a tenant. */
@Injectable()
export class AuditQueryRepository {
  async list(tx: Transaction, tenantId: string, filter: AuditFilter): Promise<AuditRow[]> {
    const values: unknown[] = [tenantId];
    const conditions = ['tenant_id = $1'];
    const narrow = (condition: string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    narrow('event =', filter.event);
    narrow(`actor ->> 'kind' =`, filter.actor?.kind);
    narrow(`actor ->> 'id' =`, filter.actor?.id);
    narrow('target =', filter.target);
    narrow('outcome =', filter.outcome);
    narrow('at >=', filter.from);
    narrow('at <', filter.to);
    narrow('id <', filter.cursor);
    values.push(filter.limit);
    return tx.query(
      `select id, at, event, actor, target, outcome, details, source_address, trace_id
       from audit_records where ${conditions.join(' and ')} order by id desc limit $${values.length}`,
      values,
    );
  }
}
