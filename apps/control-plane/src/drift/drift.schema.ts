import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { diffSchema } from '../release-diffs/release-diffs.schema.js';
import { refuseBadSteps, rolloutSchema, rolloutWay, withSteps } from '../rollouts/rollouts.schema.js';
import { serverParams } from '../servers/servers.schema.js';

const REASON_CHARACTERS_MAX = 500;

/** What is done where an upstream changes. */
const policy = z.enum(['auto', 'approve', 'reject']).meta({
  description:
    '`approve`: somebody decides. `auto`: compatible changes that leave the words of what was approved alone are rolled out, the others wait for somebody. `reject`: they are refused until somebody approves one.',
});

const watchSchema = z
  .strictObject({
    policy,
    outcome: z
      .enum(['same', 'drifted', 'unreachable', 'unusable', 'flapping', 'unknown'])
      .nullable()
      .meta({ description: 'What the last look came to; null before the first.' }),
    detail: z.string().nullable(),
    checked_at: z.iso.datetime().nullable(),
    due_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the next look is due; null where nothing is watched.' }),
  })
  .meta({ id: 'DriftWatch' });

/** Where a candidate stands. */
export const CANDIDATE_STATES = [
  'pending',
  'queued',
  'rolling_out',
  'refused',
  'superseded',
  'withdrawn',
  'unusable',
] as const;

const names = z.array(z.string());
const nameChanges = z.strictObject({ added: names, removed: names, changed: names });

const candidateShape = {
  id: z.uuid(),
  state: z.enum(CANDIDATE_STATES).meta({
    description:
      '`pending` waits for somebody, `queued` for the server’s schedule or another rollout; `unusable` cannot be released.',
  }),
  base_release: z.uuid().meta({ description: 'The release that was live when it was found.' }),
  release: z.uuid().nullable().meta({ description: 'The candidate release; null where none could be built.' }),
  effect: z.enum(['none', 'wording', 'compatible', 'breaking']).nullable(),
  tools: nameChanges,
  prompts: nameChanges,
  instructions_changed: z.boolean(),
  problems: z.array(z.strictObject({ pointer: z.string(), message: z.string() })),
  reason: z.string().nullable().meta({ description: 'Why it stands where it does, in words.' }),
  rollout: z.uuid().nullable(),
  found_at: z.iso.datetime(),
  seen_at: z.iso.datetime(),
  decided_at: z.iso.datetime().nullable(),
};

const candidateSchema = z.strictObject(candidateShape).meta({ id: 'DriftCandidate' });

/** A candidate as the API shows it. */
export type CandidateAnswer = z.input<typeof candidateSchema>;

const candidateParams = serverParams.extend({ candidate: z.uuid() });
const watched = z.strictObject({ drift: watchSchema });
const decided = z.strictObject({ candidate: candidateSchema });

/** `GET /v1/servers/{server}/drift` */
export const getDrift = contract({
  summary: 'Show what is done where a server’s upstreams change, and when they were last looked at.',
  params: serverParams,
  etag: 'shown',
  tagged: ['drift', 'policy'],
  answer: { status: 200, means: 'The policy and the last look.', schema: watched },
});

/** `PUT /v1/servers/{server}/drift` */
export const changeDriftPolicy = contract({
  summary: 'Say what is done where a server’s upstream MCP servers change what they list.',
  description: 'It is for what is found from now on; candidates that wait already stay as they are.',
  params: serverParams,
  body: jsonBody(z.strictObject({ policy })),
  etag: 'compared',
  tagged: ['drift', 'policy'],
  answer: { status: 200, means: 'The policy that holds from now on.', schema: watched },
});

/** `POST /v1/servers/{server}/drift/check` */
export const checkDrift = contract({
  summary: 'Have a server’s upstreams looked at within seconds.',
  params: serverParams,
  answer: { status: 202, means: 'The look is due.', schema: watched },
  refuses: ['conflict'],
});

/** `GET /v1/servers/{server}/drift/candidates` */
export const listCandidates = contract({
  summary: 'List what a server’s upstreams were found to list that was not approved.',
  params: serverParams,
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor, state: z.enum(CANDIDATE_STATES).optional() }),
  answer: {
    status: 200,
    means: 'Candidates, newest first.',
    schema: z.strictObject({ candidates: z.array(candidateSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/servers/{server}/drift/candidates/{candidate}` */
export const getCandidate = contract({
  summary: 'Show a candidate with all that is different in it.',
  params: candidateParams,
  answer: {
    status: 200,
    means: 'The candidate, compared with the release that was live when it was found.',
    schema: z.strictObject({
      candidate: candidateSchema,
      diff: diffSchema.nullable().meta({ description: 'Null where no release could be built.' }),
      instructions: z
        .strictObject({ before: z.string().nullable(), after: z.string().nullable() })
        .nullable()
        .meta({ description: 'The instructions for agents, where they changed.' }),
    }),
  },
  refuses: ['conflict'],
});

/** `POST /v1/servers/{server}/drift/candidates/{candidate}/approve` */
export const approveCandidate = contract({
  summary: 'Approve what upstreams list now: its release is rolled out, by canary where nothing else is said.',
  params: candidateParams,
  body: jsonBody(rolloutWay.superRefine(refuseBadSteps).transform((way) => withSteps(way))),
  answer: {
    status: 201,
    means: 'Its rollout begins.',
    schema: z.strictObject({ candidate: candidateSchema, rollout: rolloutSchema }),
  },
  refuses: ['conflict'],
});

/** `POST /v1/servers/{server}/drift/candidates/{candidate}/refuse` */
export const refuseCandidate = contract({
  summary: 'Refuse what upstreams list now: what was approved goes on being served.',
  params: candidateParams,
  body: jsonBody(z.strictObject({ reason: z.string().trim().min(1).max(REASON_CHARACTERS_MAX) })),
  answer: { status: 200, means: 'It is refused.', schema: decided },
  refuses: ['conflict'],
});
