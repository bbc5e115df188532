import type { ConnectRecorder, RuleId } from '#libs/connect-attempts';
import type { Target } from '../access/resource-access.js';
import type { PendingInteraction } from '../provider/browsers/pending-interaction.js';
import type { ReplayedRequest } from '../replayed-request.js';

/** What an attempt to connect is known by while its person is at their provider; nothing for the management API. */
export interface ConnectTrail {
  readonly resource: string;
  readonly serverSlug?: string | undefined;
  readonly challenge?: string | undefined;
}

/** The trail of an interaction that a person leaves for their provider. */
export function trailOf(interaction: PendingInteraction, target: Target): ConnectTrail | undefined {
  if (target.scope !== 'mcp') return undefined;
  return {
    resource: target.url,
    serverSlug: target.profileSlug ?? target.serverSlug,
    challenge: interaction.codeChallenge,
  };
}

/** Notes for the connection doctor that a sign-in at a tenant's provider failed, and at which rule. */
export function noteProviderFailure(
  recorder: Pick<ConnectRecorder, 'note'>,
  request: ReplayedRequest,
  rule: RuleId,
  attempt: { readonly tenantId: string; readonly clientId: string; readonly trail?: ConnectTrail | undefined },
): void {
  const { tenantId, clientId, trail } = attempt;
  if (trail === undefined) return;
  recorder.note({
    visit: { address: request.address, userAgent: request.headers['user-agent'] },
    step: 'login',
    rule,
    destination: { tenantId, serverSlug: trail.serverSlug, resource: trail.resource },
    client: clientId,
    challenge: trail.challenge,
  });
}
