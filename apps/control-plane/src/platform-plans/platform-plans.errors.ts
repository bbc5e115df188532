import { AppError } from '#libs/errors';

/** A plan of the shared tier cannot have tenants whose rows lie elsewhere. */
export function hasTenantAway(plan: string, slug: string): AppError {
  return new AppError('conflict', {
    message:
      `The plan ${plan} cannot be of the shared tier: ${slug}, which has it, is in a database of its own, or on its way there. ` +
      'Say "isolation_tier": "dedicated", or move such tenants to common with PUT /admin/v1/tenants/{tenant}/home first.',
  });
}

/** A plan that is in use stays. */
export function inUse(
  plan: string,
  { tenants, imports }: { readonly tenants: number; readonly imports: number },
): AppError {
  const users = [
    ...(tenants === 0 ? [] : [`${tenants} ${tenants === 1 ? 'tenant has' : 'tenants have'} it`]),
    ...(imports === 0 ? [] : [`${imports} ${imports === 1 ? 'import brings' : 'imports bring'} a tenant to it`]),
  ].join(', and ');
  return new AppError('conflict', {
    message: `The plan ${plan} is in use: ${users}. Give such tenants another one with PUT /admin/v1/tenants/{tenant}/plan first.`,
  });
}

/** The plan that new tenants get stays. */
export function isOfSignUps(plan: string): AppError {
  return new AppError('conflict', {
    message: `The plan ${plan} is the one that tenants get when they sign up. It can be changed, and not be deleted.`,
  });
}
