import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { csvRow } from '../paging/csv.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { cursorAfter } from './usage-cursor.js';
import { UsageRepository, type UsageFilter, type UsageRow } from './usage.repository.js';
import { isRange, type exportUsage, type listUsage, type showBudgets } from './usage.schema.js';

const EXPORT_MAX = 100_000;
const DAY_MS = 86_400_000;
const COLUMNS = [
  'at',
  'server',
  'tool',
  'client',
  'calls',
  'failed',
  'tool_seconds',
  'bytes_in',
  'bytes_out',
  'egress_bytes',
] as const;

/** What a tenant's calls used. */
@Injectable()
export class UsageService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(UsageRepository) private readonly ledger: UsageRepository,
  ) {}

  /** A page of sums. @throws AppError invalid_request for days that are no time of at most a year, or another list's cursor */
  async list(
    { tenantId }: TenantCaller,
    { limit, cursor, ...query }: InputOf<typeof listUsage>['query'],
  ): Promise<AnswerOf<typeof listUsage>> {
    const filter = filterOf(query);
    const list = [filter.per, ...filter.by].join(' ');
    if (cursor !== undefined && (cursor.list !== list || cursor.names.length !== filter.by.length)) {
      const message = 'This cursor is of a list with another `per` or `by`. Begin at the first page.';
      throw new AppError('invalid_request', { message, problems: [{ pointer: '/query/cursor', message }] });
    }
    const rows = await this.database.asTenant(tenantId, (tx) =>
      this.ledger.sum(tx, tenantId, filter, limit + 1, cursor),
    );
    const usage = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
    const last = rows.length > limit ? usage.at(-1) : undefined;
    const names = filter.by.map((group) => last?.[group] ?? '');
    return { usage, next_cursor: last === undefined ? null : cursorAfter({ list, at: last.at, names }) };
  }

  /** All sums as CSV (RFC 4180). @throws AppError invalid_request where there are too many */
  async export({ tenantId }: TenantCaller, query: InputOf<typeof exportUsage>['query']): Promise<string> {
    const filter = filterOf(query);
    const rows = await this.database.asTenant(tenantId, (tx) => this.ledger.sum(tx, tenantId, filter, EXPORT_MAX + 1));
    if (rows.length > EXPORT_MAX) {
      throw new AppError('invalid_request', {
        message: `There are more than ${EXPORT_MAX} sums. Ask for fewer days, or for days in place of hours.`,
      });
    }
    return [csvRow(COLUMNS), ...rows.map((row) => csvRow(COLUMNS.map((column) => cellOf(row[column]))))].join('');
  }

  /** How much of the plan's budgets the month has used up. */
  async budgets({ tenantId }: TenantCaller): Promise<AnswerOf<typeof showBudgets>> {
    const month = await this.database.asTenant(tenantId, (tx) => this.ledger.month(tx, tenantId));
    if (month === undefined) throw new AppError('not_found', { message: 'There is no such tenant.' });
    const { warn_percent: warned, resets_at: resetsAt, budgets, ...told } = month;
    const stateOf = (used: number, allowed: number | null): 'free' | 'warned' | 'reached' =>
      allowed === null || used * 100 < allowed * warned ? 'free' : used < allowed ? 'warned' : 'reached';
    return {
      ...told,
      resets_at: resetsAt.toISOString(),
      budgets: budgets.map((budget) => ({ ...budget, state: stateOf(budget.used, budget.allowed) })),
    };
  }
}

function filterOf({ from, to, by, ...rest }: InputOf<typeof exportUsage>['query']): UsageFilter {
  const today = new Date().toISOString().slice(0, 10);
  const first = from ?? `${today.slice(0, 8)}01`;
  const next = to ?? nextDay(first > today ? first : today);
  if (!isRange({ from: first, to: next })) {
    throw new AppError('invalid_request', { message: '`to` must be after `from`, by a year at most.' });
  }
  return { ...rest, from: first, to: next, by: by ?? [] };
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}

function cellOf(value: UsageRow[keyof UsageRow]): string {
  return value instanceof Date ? value.toISOString() : String(value ?? '');
}
