import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { searchText } from '../contract/text.js';
import { cursorOf, nextCursor, pageLimit } from '../paging/cursor.js';

const hash = z.string().meta({ description: 'SHA-256, in base64.' });
const size = z
  .string()
  .regex(/^\d{1,12}$/, 'a whole number')
  .transform(Number);

const checkpointSchema = z
  .strictObject({
    size: z.int(),
    root: hash,
    note: z.string().meta({ description: 'The signed note: keep it. C2SP tlog-checkpoint.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'AuditCheckpoint' });

/** `GET /v1/audit/checkpoints` */
export const listCheckpoints = contract({
  summary: 'List the signed checkpoints of the audit log.',
  description:
    'Each says how many records the log had and what they hash to. Keep them: what differs later was changed.',
  query: z.strictObject({ limit: pageLimit(200), cursor: cursorOf(/^\d{1,12}$/) }),
  answer: {
    status: 200,
    means: 'Checkpoints, newest first.',
    schema: z.strictObject({ checkpoints: z.array(checkpointSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/audit/keys` */
export const listKeys = contract({
  summary: 'List the keys that sign this tenant’s checkpoints.',
  answer: {
    status: 200,
    means: 'Verifier keys (C2SP signed-note), newest first.',
    schema: z.strictObject({
      keys: z.array(z.strictObject({ verifier_key: z.string(), created_at: z.iso.datetime() })),
    }),
  },
});

const inclusionQuestion = z.strictObject({
  size: size.optional().meta({ description: 'Of a checkpoint; without it, the newest one that covers the record.' }),
});
const inclusionAnswer = {
  status: 200,
  means: 'An inclusion proof (RFC 9162, section 2.1.3).',
  schema: z.strictObject({
    leaf_index: z.int(),
    leaf_hash: hash,
    size: z.int(),
    root: hash,
    proof: z.array(hash),
  }),
} as const;
const consistencyAnswer = {
  status: 200,
  means: 'A consistency proof (RFC 9162, section 2.1.4).',
  schema: z.strictObject({ from: z.int(), to: z.int(), from_root: hash, to_root: hash, proof: z.array(hash) }),
} as const;

/** `GET /v1/audit/records/{id}/proof` */
export const proveInclusion = contract({
  summary: 'Prove that a record is in the log.',
  params: z.strictObject({ id: z.uuid() }),
  query: inclusionQuestion,
  answer: inclusionAnswer,
  refuses: ['conflict'],
});

/** `GET /admin/v1/actions/{id}/proof` */
export const provePlatformInclusion = contract({
  summary: 'Prove that what an operator did is in the platform’s log.',
  params: z.strictObject({ id: z.uuid() }),
  query: inclusionQuestion,
  answer: inclusionAnswer,
  refuses: ['conflict'],
});

/** `GET /v1/audit/consistency` */
export const proveConsistency = contract({
  summary: 'Prove that the log only grew between two sizes.',
  query: z.strictObject({ from: size, to: size }),
  answer: consistencyAnswer,
});

/** `GET /admin/v1/actions/consistency` */
export const provePlatformConsistency = contract({
  summary: 'Prove that the platform’s log only grew between two sizes.',
  query: z.strictObject({ from: size, to: size }),
  answer: consistencyAnswer,
});

/** `DELETE /v1/audit/people/{person}` */
export const erasePerson = contract({
  summary: 'Erase what the audit log holds about a person.',
  description:
    'Addresses and e-mail of this account in records so far become unreadable for ever, but for backups from before. The records stay, under an opaque id, and proofs still hold. What happens afterwards is recorded under a new key.',
  params: z.strictObject({ person: searchText(128) }),
  answer: { status: 204, means: 'Erased.' },
  refuses: ['conflict'],
});
