import { z } from 'zod';
import { expectationSchema } from '#libs/probes';
import { TOOL_NAME } from '#libs/protocol';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';
import { serverParams } from '../servers/servers.schema.js';

const probeShape = {
  name: lineOfText(64),
  tool: z.string().regex(TOOL_NAME),
  arguments: z.record(z.string(), z.unknown()),
  expect: expectationSchema,
  allow_effects: z.boolean().meta({
    description: 'Lets the probe call a tool that does not only read; say so only of harmless calls.',
  }),
  enabled: z.boolean(),
  every_seconds: z
    .int()
    .min(60)
    .max(86_400)
    .nullable()
    .meta({ description: 'How often it runs on the live release; null: before publishing and on request only.' }),
};

const probeSchema = z
  .strictObject({
    id: z.uuid(),
    ...probeShape,
    state: z.enum(['unknown', 'passing', 'failing']).meta({ description: 'How it last went on the live release.' }),
    due_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Probe' });

const probeParams = serverParams.extend({ probe: z.uuid() });
const oneProbe = z.strictObject({ probe: probeSchema });

/** `POST /v1/servers/{server}/probes` */
export const createProbe = contract({
  summary: 'Create a probe: a call of a tool and what its answer must be.',
  description:
    'Every enabled probe must pass before a release goes live. A server has at most 20. Only tools that ' +
    'only read are called, unless `allow_effects` says that a call is harmless.',
  params: serverParams,
  body: jsonBody(
    z.strictObject({
      ...probeShape,
      arguments: probeShape.arguments.default({}),
      expect: expectationSchema.prefault({}),
      allow_effects: probeShape.allow_effects.default(false),
      enabled: probeShape.enabled.default(true),
      every_seconds: probeShape.every_seconds.default(null),
    }),
    { bytesMax: 64 * 1024 },
  ),
  etag: 'shown',
  answer: { status: 201, means: 'The probe.', schema: oneProbe },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/servers/{server}/probes` */
export const listProbes = contract({
  summary: 'List a server’s probes.',
  params: serverParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'All probes, oldest first.',
    schema: z.strictObject({ probes: z.array(probeSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/servers/{server}/probes/{probe}` */
export const getProbe = contract({
  summary: 'Show one probe.',
  params: probeParams,
  etag: 'shown',
  answer: { status: 200, means: 'The probe.', schema: oneProbe },
});

/** `PATCH /v1/servers/{server}/probes/{probe}` */
export const changeProbe = contract({
  summary: 'Change a probe; what is left out stays.',
  params: probeParams,
  body: jsonBody(z.strictObject(probeShape).partial(), { bytesMax: 64 * 1024 }),
  etag: 'compared',
  answer: { status: 200, means: 'The probe.', schema: oneProbe },
  refuses: ['conflict', 'unprocessable'],
});

/** `DELETE /v1/servers/{server}/probes/{probe}` */
export const deleteProbe = contract({
  summary: 'Delete a probe with its results.',
  params: probeParams,
  etag: 'compared',
  answer: { status: 204, means: 'The probe is gone.' },
});

/** `POST /v1/servers/{server}/probes/run` */
export const runProbes = contract({
  summary: 'Run probes now, on the live release or another one.',
  description: 'They run in the background; read their results with `run` in `GET …/probes/{probe}/results`.',
  params: serverParams,
  body: jsonBody(
    z.strictObject({
      release: z.uuid().optional().meta({ description: 'Without it, the live release.' }),
      probes: z.array(z.uuid()).min(1).max(20).optional().meta({ description: 'Without it, all that are enabled.' }),
    }),
  ),
  answer: {
    status: 202,
    means: 'They will run.',
    schema: z.strictObject({ run: z.uuid().meta({ description: 'Names this run in the results.' }) }),
  },
  refuses: ['conflict'],
});

const resultSchema = z
  .strictObject({
    id: z.uuid(),
    at: z.iso.datetime(),
    run: z.uuid(),
    release: z.uuid(),
    cause: z.enum(['publish', 'request', 'schedule']),
    passed: z.boolean(),
    reason: z.string().nullable(),
    latency_ms: z.int(),
    result_sha256: z.string().nullable(),
    diverged: z.boolean().meta({ description: 'Whether the answer was another than the one before on this release.' }),
  })
  .meta({ id: 'ProbeResult' });

/** `GET /v1/servers/{server}/probes/{probe}/results` */
export const listProbeResults = contract({
  summary: 'Show how a probe went, run by run, and in figures.',
  description: 'Results are kept for 30 days.',
  params: probeParams,
  query: z.strictObject({
    limit: pageLimit(500),
    cursor: pageCursor,
    release: z.uuid().optional(),
    run: z.uuid().optional(),
    hours: z.coerce.number().int().min(1).max(720).default(24).meta({ description: 'How far back the figures reach.' }),
  }),
  answer: {
    status: 200,
    means: 'Results, newest first.',
    schema: z.strictObject({
      results: z.array(resultSchema),
      next_cursor: nextCursor,
      figures: z.strictObject({
        runs: z.int(),
        failure_ratio: z.number().meta({ description: 'Failed runs among all, 0 without any.' }),
        divergence_ratio: z.number().meta({ description: 'Runs whose answer had changed among all, 0 without any.' }),
        latency_ms_median: z.number().nullable(),
      }),
    }),
  },
});
