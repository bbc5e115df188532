import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';
import { newPlanSettings, planName, planSettings } from './plan-settings.js';

const planSchema = z.strictObject({ name: z.string(), ...planSettings.shape }).meta({ id: 'Plan' });
const onePlan = z.strictObject({ plan: planSchema });
const params = z.strictObject({ name: planName });

/** `GET /admin/v1/plans` */
export const listPlans = contract({
  summary: 'List the plans with their limits.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The plans by name.',
    schema: z.strictObject({ plans: z.array(planSchema), next_cursor: nextCursor }),
  },
});

/** `GET /admin/v1/plans/{name}` */
export const showPlan = contract({
  summary: 'Show one plan.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The plan.', schema: onePlan },
});

/** `PUT /admin/v1/plans/{name}` */
export const putPlan = contract({
  summary: 'Create a plan, or replace one for every tenant that has it: what is left out is the default again.',
  params,
  creates: 'what the path names',
  body: jsonBody(z.strictObject({ ...newPlanSettings.shape, reason: reasonText })),
  etag: 'compared',
  answer: { status: 200, means: 'The plan.', schema: onePlan },
  refuses: ['conflict'],
});

/** `PATCH /admin/v1/plans/{name}` */
export const changePlan = contract({
  summary: 'Change what you name of a plan, for every tenant that has it; all else stays.',
  params,
  body: jsonBody(z.strictObject({ ...planSettings.partial().shape, reason: reasonText })),
  etag: 'compared',
  answer: { status: 200, means: 'The plan.', schema: onePlan },
  refuses: ['conflict'],
});

/** `DELETE /admin/v1/plans/{name}` */
export const deletePlan = contract({
  summary: 'Delete a plan that no tenant has.',
  params,
  query: z.strictObject({ reason: reasonText }),
  etag: 'compared',
  answer: { status: 204, means: 'The plan is gone.' },
  refuses: ['conflict'],
});
