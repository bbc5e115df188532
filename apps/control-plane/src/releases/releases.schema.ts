import { z } from 'zod';
import { releaseSourceSchema } from '#libs/protocol';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { serverParams, serverSchema } from '../servers/servers.schema.js';

/**
 * ready → publishing → live → superseded; publishing → rejected when its checks fail; rejected and superseded →
 * publishing again; superseded → live by a rollback, which also takes publishing back to what it was before.
 * ready and superseded → candidate when a rollout begins; candidate → live, rejected, or what it was before, as it ends.
 */
export const RELEASE_STATES = ['ready', 'publishing', 'candidate', 'live', 'superseded', 'rejected'] as const;

const releaseShape = {
  id: z.uuid(),
  number: z.int().meta({ description: 'Counted from 1 within the server.' }),
  kind: z.string(),
  digest: z.string().meta({ description: 'SHA-256 of the built release.' }),
  state: z.enum(RELEASE_STATES),
  tools: z.int().meta({ description: 'How many tools it has.' }),
  created_at: z.iso.datetime(),
  published_at: z.iso.datetime().nullable(),
  rejection: z.unknown().meta({ description: 'Why its checks failed; null unless it was rejected.' }),
};

/** A release of a server. */
export const releaseSchema = z.strictObject(releaseShape).meta({ id: 'Release' });

const reportSchema = z
  .strictObject({
    tools: z.int(),
    skipped: z.array(z.strictObject({ pointer: z.string(), operation: z.string(), reason: z.string() })),
    renamed: z.array(z.strictObject({ from: z.string(), to: z.string(), reason: z.string() })),
    list_bytes: z.int().meta({ description: 'Bytes of the tool list as an agent receives it.' }),
    list_tokens: z.int().meta({ description: 'What the list costs in tokens, at 4 bytes each.' }),
  })
  .meta({ id: 'BuildReport', description: 'What became of the source, and what was left out and why.' });

const detailedRelease = z
  .strictObject({ ...releaseShape, tool_names: z.array(z.string()), report: reportSchema })
  .meta({ id: 'ReleaseDetails' });

const releaseParams = serverParams.extend({ release: z.uuid() });

const source = releaseSourceSchema.refine(
  (given) => given.kind !== 'openapi' || (given.document === undefined) !== (given.artefact === undefined),
  'Give either `document` or `artefact`.',
);

/** `POST /v1/servers/{server}/releases` */
export const createRelease = contract({
  summary: 'Build a release from an OpenAPI document, declarative HTTP tools or an MCP bundle.',
  description:
    'The source is built inside a worker of the tenant. With `publish: true` the release is published as well. Every place of the source that cannot be used is named in `errors`.',
  params: serverParams,
  body: jsonBody(z.strictObject({ source, publish: z.boolean().default(false) }), {
    bytesMax: 4 * 1024 * 1024,
    depthMax: 128,
    keysMax: 500_000,
  }),
  answer: {
    status: 201,
    means: 'The release was built.',
    schema: z.strictObject({
      release: releaseSchema,
      report: reportSchema,
      warnings: z.array(z.string()).meta({ description: 'What will not work until something is done about it.' }),
    }),
  },
  refuses: ['conflict', 'unprocessable', 'rate_limited', 'unavailable', 'worker_failed', 'deadline_exceeded'],
});

/** `GET /v1/servers/{server}/releases` */
export const listReleases = contract({
  summary: 'List a server’s releases.',
  params: serverParams,
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Releases, newest first.',
    schema: z.strictObject({ releases: z.array(releaseSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/servers/{server}/releases/{release}` */
export const getRelease = contract({
  summary: 'Show one release with the names of its tools and its build report.',
  params: releaseParams,
  answer: { status: 200, means: 'The release.', schema: z.strictObject({ release: detailedRelease }) },
});

/** `POST /v1/servers/{server}/releases/{release}/publish` */
export const publishRelease = contract({
  summary: 'Publish a release: it goes live once its worker has passed the checks.',
  description: 'Publishing what is live already, or on its way, changes nothing.',
  params: releaseParams,
  answer: { status: 202, means: 'Publishing was asked for.', schema: z.strictObject({ release: releaseSchema }) },
  refuses: ['conflict'],
});

/** `POST /v1/servers/{server}/rollback` */
export const rollBack = contract({
  summary: 'Make the release before the live one live again, at once.',
  params: serverParams,
  answer: {
    status: 200,
    means: 'The server with its releases exchanged.',
    schema: z.strictObject({ server: serverSchema }),
  },
  refuses: ['conflict'],
});
