import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** What holds in an environment beside the plan. */
export interface EnvironmentPolicy {
  readonly calls_per_minute: number | null;
  readonly concurrent_calls: number | null;
  readonly audit_mode: 'process' | 'disk' | 'database' | null;
  readonly egress_hosts: string[] | null;
}

/** A server as one of its family: production and its environments. */
export interface FamilyMember extends EnvironmentPolicy {
  readonly id: string;
  readonly slug: string;
  readonly environment: string | null;
}

/** An environment to make. */
export interface NewEnvironment {
  readonly id: string;
  readonly slug: string;
  readonly environment: string;
  readonly productionId: string;
}

/** Which servers are environments of which. */
@Injectable()
export class EnvironmentsRepository {
  /** A server's production and all environments of it, production first; nothing where there is no such server. */
  async family(tx: Transaction, tenantId: string, slug: string): Promise<FamilyMember[]> {
    return tx.query(
      `select f.id, f.slug, f.environment, f.calls_per_minute, f.concurrent_calls, f.audit_mode, f.egress_hosts
       from servers s
       join servers f on f.tenant_id = s.tenant_id
         and (f.id = coalesce(s.production_id, s.id) or f.production_id = coalesce(s.production_id, s.id))
       where s.tenant_id = $1 and s.slug = $2 order by f.environment nulls first`,
      [tenantId, slug],
    );
  }

  /** Keeps a server's whole family from changing, always in the same order, until the transaction ends. */
  async lockFamily(tx: Transaction, tenantId: string, slug: string): Promise<void> {
    await tx.query(
      `select f.id from servers s join servers f on f.tenant_id = s.tenant_id
         and (f.id = coalesce(s.production_id, s.id) or f.production_id = coalesce(s.production_id, s.id))
       where s.tenant_id = $1 and s.slug = $2 order by f.id for update of f`,
      [tenantId, slug],
    );
  }

  /** Makes an environment with production's settings and people. */
  async insert(tx: Transaction, tenantId: string, made: NewEnvironment): Promise<void> {
    await tx.query(
      `insert into servers (tenant_id, id, slug, environment, production_id, name, people, writes, asks_for, tool_groups,
         records_content, stale_answers, stale_answers_max_age_seconds, sse_transport, public_lists, inline_result_bytes,
         result_guard, approves_destructive)
       select tenant_id, $3, $4, $5, id, name, people, writes, asks_for, tool_groups, records_content, stale_answers,
         stale_answers_max_age_seconds, sse_transport, public_lists, inline_result_bytes, result_guard,
         approves_destructive
       from servers where tenant_id = $1 and id = $2`,
      [tenantId, made.productionId, made.id, made.slug, made.environment],
    );
    await tx.query(
      `insert into server_people (tenant_id, server_id, kind, who)
       select tenant_id, $3, kind, who from server_people where tenant_id = $1 and server_id = $2`,
      [tenantId, made.productionId, made.id],
    );
  }

  async setPolicy(tx: Transaction, tenantId: string, id: string, policy: EnvironmentPolicy): Promise<void> {
    await tx.query(
      `update servers set calls_per_minute = $3, concurrent_calls = $4, audit_mode = $5, egress_hosts = $6
       where tenant_id = $1 and id = $2`,
      [tenantId, id, policy.calls_per_minute, policy.concurrent_calls, policy.audit_mode, policy.egress_hosts],
    );
  }
}
