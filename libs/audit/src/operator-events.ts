import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const reason = { reason: text };
const count = z.int().min(0);
const allowance = { host: text.optional(), range: text.nullish(), port: count, ...reason };

/** What operators do about a tenant, as the tenant's own log says it. */
export const OPERATOR_EVENTS = {
  'tenant.suspended': event('An operator suspended the tenant.', reason),
  'tenant.resumed': event('An operator resumed the tenant.', reason),
  'tenant.viewed': event('An operator looked at the tenant or what it is allowed.', { action: text }),
  'tenant.owner_appointed': event(
    'Nobody could reach an owner of the tenant, so an operator made a member one, or invited somebody to be one.',
    { became: text, account: text.optional(), invitation: text.optional(), ...reason },
  ),
  'tenant.plan_assigned': event('An operator assigned a plan.', { plan: text, ...reason }),
  'tenant.data_key_replaced': event('An operator replaced the key that the tenant’s values are sealed under.', reason),
  'tenant.limits_changed': event('An operator gave the tenant limits in place of its plan’s.', {
    limits: z.record(z.string(), count.nullable()),
    ...reason,
  }),
  'impersonation.started': event(
    'An operator began to look at the tenant through its own API; nothing can be changed by that.',
    {
      minutes: count,
      ...reason,
    },
  ),
  'impersonation.used': event('An operator read something through the tenant’s own API, or was refused there.', {
    route: text,
  }),
  'impersonation.ended': event('An operator’s look at the tenant was ended before its time.', reason),
  'tenant.workers_stopped': event(
    'An operator ended the tenant’s workers, all or one; the next call starts them again.',
    {
      worker: text.optional(),
      ...reason,
    },
  ),
  'session.ended': event('An operator ended a session.', { session: text, ...reason }),
  'breaker.ordered': event('An operator holds an upstream’s breaker open until then, or had it begin anew.', {
    origin: text,
    open_until: text.nullable(),
    ...reason,
  }),
  'egress_allowance.added': event('An operator allowed a private address.', allowance),
  'egress_allowance.removed': event('An operator withdrew a private address.', allowance),
} as const;
