import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';

const emergencyKey = z
  .strictObject({
    id: z.uuid().meta({ description: 'As whom acts with this key stand in the log.' }),
    name: z.string().meta({
      description: 'Where it comes from: `local` is the data folder of `npm start`, `migrate` is `WHARF_OPERATOR_KEY`.',
    }),
    state: z.enum(['open', 'shut']),
    created_at: z.iso.datetime(),
    shut_at: z.iso.datetime().nullable(),
    last_act_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'EmergencyKey' });

/** `GET /admin/v1/emergency-keys` */
export const listEmergencyKeys = contract({
  summary: 'List the operators’ keys that the configuration named, open ones first.',
  description: 'Each may do everything, without a second factor. Operators’ accounts are at `/admin/v1/operators`.',
  answer: {
    status: 200,
    means: 'A hundred keys at most: those that are open, then those that were shut, the newest first.',
    schema: z.strictObject({ emergency_keys: z.array(emergencyKey) }),
  },
});

/** `DELETE /admin/v1/emergency-keys/{id}` */
export const shutEmergencyKey = contract({
  summary: 'Shut an emergency key, at once and for good.',
  description:
    'The same key stays shut where the configuration still names it. Another is made with a new `WHARF_OPERATOR_KEY` and ' +
    '`npm run migrate`, or by `npm start` where `operator.key` was deleted.',
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'It opens nothing.' },
  refuses: ['conflict'],
});
