import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { openRecords, type ShownRecord } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { compileExpression, RuleSet, UnknownFact, type Verdict } from '#libs/policies';
import type { PersonKeys } from '#libs/secrets';
import type { TenantCaller } from '../access/caller.js';
import { AuditQueryRepository } from '../audit-query/audit-query.repository.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { PERSON_KEYS, TENANT_DATABASE } from '../platform/tokens.js';
import { requireRule } from '../policies/check-rule.js';
import { PoliciesRepository } from '../policies/policies.repository.js';
import type { OUTCOMES, tryPolicy } from './policy-trials.schema.js';
import { RecordedCallsRepository } from './recorded-calls.repository.js';
import { requestFacts, toolCallFacts, unrecorded, type Surroundings } from './recorded-facts.js';

type Draft = InputOf<typeof tryPolicy>['body'];
type Outcome = (typeof OUTCOMES)[number];
type Trial = AnswerOf<typeof tryPolicy>;

const EXAMPLES_OF_EACH = 5;
const TRIAL_MS = 2_000;
const AT_ONCE = 25;

/** Asks rules about calls of the past. */
@Injectable()
export class PolicyTrialsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(AuditQueryRepository) private readonly records: AuditQueryRepository,
    @Inject(RecordedCallsRepository) private readonly recorded: RecordedCallsRepository,
    @Inject(PoliciesRepository) private readonly policies: PoliciesRepository,
    @Inject(PERSON_KEYS) private readonly persons: PersonKeys,
  ) {}

  /** @throws AppError `unprocessable` for a rule that cannot be asked */
  async try({ tenantId }: TenantCaller, draft: Draft): Promise<Trial> {
    const { calls, known } = await this.database.asTenant(tenantId, async (tx) => {
      requireRule(draft, await this.policies.unknownServers(tx, tenantId, draft.servers));
      const found = await this.#callsOf(tx, tenantId, draft);
      return { calls: found, known: await this.#surroundingsOf(tx, tenantId, found) };
    });
    return tryRule(draft, calls, known);
  }

  async #callsOf(tx: Transaction, tenantId: string, { scope, from, calls }: Draft): Promise<ShownRecord[]> {
    const filter = {
      event: 'call.completed' as const,
      ...(scope === 'tool_calls' ? { method: 'tools/call' } : {}),
      ...(from === undefined ? {} : { from }),
    };
    const { rows } = await this.records.list(tx, tenantId, filter, { limit: calls, before: undefined });
    return openRecords(tx, tenantId, this.persons, rows);
  }

  async #surroundingsOf(tx: Transaction, tenantId: string, calls: readonly ShownRecord[]): Promise<Surroundings> {
    const people = new Set(calls.map(({ actor }) => String(actor['id'] ?? '')));
    const releases = new Set(calls.map(({ details }) => releaseOf(details['release'])));
    const [members, tools] = [
      await this.recorded.members(tx, tenantId, [...people]),
      await this.recorded.releases(tx, tenantId, [...releases]),
    ];
    return {
      members: new Map(members.map((member) => [member.account_id, member])),
      releases: new Map(tools.map((release) => [release.id, release])),
    };
  }
}

function releaseOf(release: unknown): string {
  return typeof release === 'object' && release !== null && 'id' in release ? String(release.id) : '';
}

/** Others are served meanwhile, and a trial ends in time, with the calls that it has come to. */
async function tryRule(draft: Draft, calls: readonly ShownRecord[], known: Surroundings): Promise<Trial> {
  const rule = new RuleSet([{ ...draft, name: 'draft', message: null }]);
  const compiled = compileExpression(draft.expression, draft.scope);
  const names = compiled.kind === 'compiled' ? compiled.names : new Set<string>();
  const outcomes = { allow: 0, deny: 0, require_approval: 0, no_match: 0, error: 0, unknown: 0 };
  const examples: Trial['examples'] = [];
  const endMs = performance.now() + TRIAL_MS;
  let seen = 0;
  for (const call of calls) {
    if (seen % AT_ONCE === 0) await setImmediate();
    if (performance.now() > endMs) break;
    seen += 1;
    const missing = unrecorded(draft.expression, names, call);
    const { outcome, why } =
      missing === undefined ? judged(draft, rule, call, known) : { outcome: 'unknown' as const, why: missing };
    outcomes[outcome] += 1;
    if (outcomes[outcome] <= EXAMPLES_OF_EACH) examples.push(exampleOf(call, outcome, why));
  }
  return { calls: seen, oldest: calls[seen - 1]?.at ?? null, outcomes, examples };
}

interface Judged {
  readonly outcome: Outcome;
  readonly why: string | null;
}

function judged({ scope }: Draft, rule: RuleSet, call: ShownRecord, known: Surroundings): Judged {
  try {
    const verdict =
      scope === 'requests'
        ? rule.judgeRequest(requestFacts(call, known))
        : rule.judgeToolCall(toolCallFacts(call, known));
    return { outcome: outcomeOf(verdict), why: verdict.kind === 'error' ? verdict.why : null };
  } catch (error) {
    if (error instanceof UnknownFact) return { outcome: 'unknown', why: error.message };
    throw error;
  }
}

function outcomeOf(verdict: Verdict): Outcome {
  return verdict.kind === 'allow' && verdict.rule === undefined ? 'no_match' : verdict.kind;
}

function exampleOf(call: ShownRecord, outcome: Outcome, why: string | null): Trial['examples'][number] {
  const { id, at, details, actor } = call;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    record: id,
    at,
    outcome,
    method: text(details['method']) ?? '',
    server: text(details['server']),
    tool: text(details['tool'] ?? details['name']),
    actor: { ...actor },
    why,
  };
}
