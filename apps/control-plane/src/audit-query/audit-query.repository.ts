import { Injectable } from '@nestjs/common';
import { LOG_COLUMNS, type AuditRow, type LogRow } from '#libs/audit';
import type { Transaction } from '#libs/database';

/** What a reader looks for; what is absent does not narrow. */
export interface AuditFilter {
  readonly event?: string | undefined;
  readonly actor?: { readonly kind?: string; readonly id: string } | undefined;
  readonly target?: string | undefined;
  readonly outcome?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  readonly client?: string | undefined;
  readonly trace_id?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Records before this id. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const ARRIVAL_COLUMNS =
  'id, null::bigint as leaf_index, at, event, actor, target, outcome, details, null::bytea as personal, source_address, trace_id';

/** The audit log of a tenant, and what is on its way there. */
@Injectable()
export class AuditQueryRepository {
  async list(tx: Transaction, tenantId: string, filter: AuditFilter): Promise<AuditRow[]> {
    const { conditions, values } = narrowed(tenantId, filter);
    const rest = `order by id desc limit $${values.push(filter.limit)}`;
    return tx.query(
      `select * from (
         (select ${LOG_COLUMNS} from audit_log where ${conditions} ${rest})
         union all
         (select ${ARRIVAL_COLUMNS} from audit_records a where ${conditions}
            and not exists (select from audit_log l where l.tenant_id = $1 and l.id = a.id) ${rest})
       ) found ${rest}`,
      values,
    );
  }

  /** Records of the log from a number on, oldest first. */
  async listFrom(tx: Transaction, tenantId: string, filter: AuditFilter, from: number): Promise<LogRow[]> {
    const { conditions, values } = narrowed(tenantId, filter);
    return tx.query(
      `select ${LOG_COLUMNS} from audit_log where ${conditions} and leaf_index >= $${values.push(from)}
       order by leaf_index limit $${values.push(filter.limit)}`,
      values,
    );
  }
}

function narrowed(tenantId: string, filter: AuditFilter): { conditions: string; values: unknown[] } {
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
  narrow(`actor ->> 'client' =`, filter.client);
  narrow('target =', filter.target);
  // Only what calls are never made to: the index leaves calls out.
  if (filter.target !== undefined && !/^(server|tenant):/.test(filter.target)) narrow('event <>', 'call.completed');
  narrow('outcome =', filter.outcome);
  narrow(`details ->> 'server' =`, filter.server);
  narrow(`details ->> 'name' =`, filter.tool);
  narrow('trace_id =', filter.trace_id);
  narrow('at >=', filter.from);
  narrow('at <', filter.to);
  narrow('id <', filter.cursor);
  return { conditions: conditions.join(' and '), values };
}
