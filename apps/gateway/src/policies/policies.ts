import { AppError } from '#libs/errors';
import { isDestructive, toolFacts, type RequestFacts, type RuleSet, type Verdict } from '#libs/policies';
import type { AuthorizedCall } from '../access/authorize.js';
import type { RouteTable } from '../routing/route-table.js';
import type { MountedTool } from '../routing/route-tools.js';
import type { PlacedCall } from '../sessions/place.js';
import type { ApprovalWanted } from './approvals.js';
import { principalFacts } from './facts.js';
import type { Memberships } from './memberships.js';

/** What a server's own switch is called where rules are named. */
const SWITCH = 'server.approves_destructive';
const SWITCH_SECONDS = 900;

/** Judges calls by their tenant's rules, which were read with its routes. */
export class Policies {
  constructor(
    private readonly memberships: Pick<Memberships, 'find'>,
    private readonly region: string,
  ) {}

  /** Refuses a request that a rule on every request refuses. @throws AppError policy_denied */
  async requireRequest(call: AuthorizedCall): Promise<void> {
    const { guard } = call.tenant;
    if (guard?.has('requests') !== true) return;
    requireAllowed(guard.judgeRequest(await this.#requestFacts(call, guard)));
  }

  /** Whether a call that goes on would be allowed by its tenant's rules as they are now. Never throws. */
  async stillAllows(call: AuthorizedCall, routes: Pick<RouteTable, 'route'>): Promise<boolean> {
    try {
      const { tenant } = await routes.route(call);
      if (tenant.guard !== undefined) await this.requireRequest({ ...call, tenant });
      return true;
    } catch (error) {
      return !(error instanceof AppError && error.code === 'policy_denied');
    }
  }

  /**
   * Refuses a call of a tool that a rule refuses, and answers whether a person has to approve it first.
   * @throws AppError policy_denied
   */
  async requireToolCall(call: PlacedCall, tool: MountedTool): Promise<ApprovalWanted | undefined> {
    const { guard, rules } = call.tenant;
    if (guard === undefined) return undefined;
    if (!('given' in call.exchange)) throw new AppError('internal', { detail: { reason: 'a call without arguments' } });
    const verdict = guard.has('tool_calls')
      ? guard.judgeToolCall({
          ...(await this.#requestFacts(call, guard)),
          tool: toolFacts(tool),
          arguments: call.exchange.given ?? {},
        })
      : { kind: 'allow' as const, rule: undefined };
    requireAllowed(verdict);
    if (verdict.kind === 'require_approval') {
      const { approvalSeconds = SWITCH_SECONDS, selfApproval = false } =
        rules.find(({ name }) => name === verdict.rule) ?? {};
      return { rule: `policy:${verdict.rule}`, message: verdict.message, validSeconds: approvalSeconds, selfApproval };
    }
    return verdict.rule === undefined ? switchedOn(call, tool) : undefined;
  }

  async #requestFacts({ principal, tenant, address }: AuthorizedCall, guard: RuleSet): Promise<RequestFacts> {
    const membership =
      guard.asksForMembership && principal.kind === 'person'
        ? await this.memberships.find(tenant.tenantId, principal.subject)
        : undefined;
    return { ...principalFacts(principal, membership), source: { address }, now: new Date(), region: this.region };
  }
}

/** A rule that allows a call by name comes before the switch. */
function switchedOn({ tenant }: PlacedCall, tool: MountedTool): ApprovalWanted | undefined {
  const server = tenant.servers.find(({ slug }) => slug === tool.serverSlug);
  if (server?.approvesDestructive !== true || !isDestructive(tool)) return undefined;
  return { rule: SWITCH, message: null, validSeconds: SWITCH_SECONDS, selfApproval: false };
}

function requireAllowed(verdict: Verdict): void {
  if (verdict.kind === 'deny') {
    throw new AppError('policy_denied', {
      message: verdict.message ?? `The policy "${verdict.rule}" of this organisation does not allow this.`,
      data: { policy: verdict.rule },
      detail: { rule: `policy:${verdict.rule}` },
    });
  }
  if (verdict.kind === 'error') {
    throw new AppError('policy_denied', {
      message:
        `The policy "${verdict.rule}" of this organisation could not be applied to this call, which is refused ` +
        'therefore. Ask its administrators.',
      data: { policy: verdict.rule },
      detail: { rule: `policy:${verdict.rule}`, why: verdict.why },
    });
  }
}
