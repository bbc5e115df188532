import { createHash } from 'node:crypto';
import { AppError } from '#libs/errors';
import type { Principal } from '#libs/identity';
import type { CountedQuota, SlidingWindows } from '#libs/limits';
import type { RoutedCall } from '../routing/route-table.js';
import type { CallLimit } from '../routing/tenants.repository.js';

/** The tool that a call is for, by its own name at its server. */
export interface CalledTool {
  readonly name: string;
  readonly serverSlug: string;
}

/** A call whose principal is known. */
type ProvedCall = RoutedCall & { readonly principal: Principal };

interface AppliedLimit extends CountedQuota {
  readonly limit: CallLimit;
}

/** How often tools may be called, as their tenant says: one round trip to Redis, and only where a limit applies. */
export class CallLimits {
  constructor(private readonly windows: SlidingWindows) {}

  /**
   * Counts a call of a tool against every limit that applies to it.
   * @throws AppError rate_limited where one is full; unavailable where nobody can count and a limit refuses then
   */
  async take({ tenant, principal }: ProvedCall, tool: CalledTool): Promise<void> {
    if (tenant.callLimits.length === 0) return;
    const applied = tenant.callLimits
      .filter((limit) => applies(limit, principal, tool))
      .map((limit) => ({
        limit,
        key: keyOf(limit, principal, tool),
        quota: limit.calls,
        windowSeconds: limit.windowSeconds,
      }));
    if (applied.length === 0) return;
    const taken = await this.windows.take(tenant.tenantId, applied);
    if (taken.kind === 'full') throw limitReached(taken.by, taken.waitSeconds, tool);
    if (taken.kind === 'unknown') refuseUncertain(applied);
  }
}

function applies({ server, tools, clients }: CallLimit, principal: Principal, tool: CalledTool): boolean {
  if (server !== null && server !== tool.serverSlug) return false;
  if (clients.length > 0 && !clients.includes(clientOf(principal))) return false;
  return tools.some((pattern) => isNamed(tool.name, pattern));
}

/** A name, or the beginning of names with `*` after it. */
function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** What is counted together; of bounded length, whatever names it is made of. */
function keyOf({ name, per }: CallLimit, principal: Principal, tool: CalledTool): string {
  const parts = per.map((each) =>
    each === 'client' ? clientOf(principal) : each === 'person' ? personOf(principal) : [tool.serverSlug, tool.name],
  );
  return `${name}:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)}`;
}

/** An OAuth client’s id, or the key’s for one that came with a key. */
function clientOf(principal: Principal): string {
  return principal.kind === 'api-key' ? `api-key:${principal.keyId}` : principal.clientId;
}

/** Where no person calls, the client or key stands for itself. */
function personOf(principal: Principal): string {
  return principal.kind === 'person' ? principal.subject : clientOf(principal);
}

function limitReached({ limit }: AppliedLimit, waitSeconds: number, { name: tool }: CalledTool): AppError {
  const { name, calls, windowSeconds, per } = limit;
  const whose = per.length === 0 ? 'together' : `for each ${per.join(' and ')}`;
  return new AppError('rate_limited', {
    message:
      `The limit "${name}" allows ${calls} calls in ${windowSeconds} s ${whose}, and they are used up. ` +
      `Call ${tool} again in ${waitSeconds} s.`,
    retryAfterSeconds: waitSeconds,
    limit: { name, quota: calls, windowSeconds },
    detail: { rule: `call_limit:${name}` },
  });
}

function refuseUncertain(applied: readonly AppliedLimit[]): void {
  const strict = applied.find(({ limit }) => limit.whenUncertain === 'refuse')?.limit;
  if (strict === undefined) return;
  throw new AppError('unavailable', {
    message: `Calls cannot be counted at the moment, and the limit "${strict.name}" refuses them then. Try again shortly.`,
    retryAfterSeconds: 2,
    detail: { rule: `call_limit:${strict.name}` },
  });
}
