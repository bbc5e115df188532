import { AppError } from '#libs/errors';

/** What is to be deleted is closed until then. */
export function leaving(): AppError {
  return new AppError('conflict', {
    message:
      'This tenant is to be deleted, and closed until then. Keep it with POST /admin/v1/tenants/{tenant}/restore first.',
  });
}

/** A plan that does not let the tenant be where it is. */
export function ofSharedTier(plan: string): AppError {
  return new AppError('conflict', {
    message:
      `The plan ${plan} is of the shared tier, and this tenant has a database of its own. ` +
      'Move it to common with PUT /admin/v1/tenants/{tenant}/home first.',
  });
}

/** A plan that there is not. */
export function unknownPlan(plan: string): AppError {
  return new AppError('unprocessable', {
    message: `There is no plan ${plan}. List them with GET /admin/v1/plans.`,
    problems: [{ pointer: '/plan', message: 'no such plan' }],
  });
}
