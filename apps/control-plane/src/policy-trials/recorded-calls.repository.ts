import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** What a person is now. */
export interface MemberNow {
  readonly account_id: string;
  readonly role: string;
  readonly groups: readonly string[];
}

/** A release's tools, as rules may ask about them. */
export interface ReleaseTools {
  readonly id: string;
  readonly tools: Readonly<Record<string, 'read' | 'write'>>;
  readonly hints: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
}

/** What recorded calls are completed with. */
@Injectable()
export class RecordedCallsRepository {
  members(tx: Transaction, tenantId: string, accountIds: readonly string[]): Promise<MemberNow[]> {
    return tx.query(
      `select account_id, role, groups from members where tenant_id = $1 and account_id::text = any($2::text[])`,
      [tenantId, accountIds],
    );
  }

  releases(tx: Transaction, tenantId: string, ids: readonly string[]): Promise<ReleaseTools[]> {
    return tx.query(
      `select id, tools, tool_hints as hints from releases where tenant_id = $1 and id::text = any($2::text[])`,
      [tenantId, ids],
    );
  }
}
