import { z } from 'zod';
import { valid } from 'semver';
import { releaseSourceSchema } from '#libs/protocol';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { serverParams, serverSchema } from '../servers/servers.schema.js';

/**
 * ready → publishing → live → superseded; publishing → rejected when its checks fail; rejected and superseded →
 * publishing again; superseded → live by a rollback, which also takes publishing back to what it was before.
 * rejected → ready when it is promoted once more, from an environment where it is live.
 * ready and superseded → candidate when a rollout begins; candidate → live, rejected, or what it was before, as it ends.
 */
export const RELEASE_STATES = ['ready', 'publishing', 'candidate', 'live', 'superseded', 'rejected'] as const;

const releaseShape = {
  id: z.uuid(),
  number: z.int().meta({ description: 'Counted from 1 within the server.' }),
  version: z.string().nullable().meta({ description: 'Its semantic version, where it bears one.' }),
  kind: z.string(),
  digest: z.string().meta({ description: 'SHA-256 of the built release.' }),
  state: z.enum(RELEASE_STATES),
  tools: z.int().meta({ description: 'How many tools it has.' }),
  list_tokens: z.int().meta({ description: 'About what its list of tools costs an agent, in tokens.' }),
  created_at: z.iso.datetime(),
  published_at: z.iso.datetime().nullable(),
  verification: z
    .strictObject({ checked_at: z.iso.datetime(), notes: z.array(z.string()) })
    .nullable()
    .meta({ description: 'What was noted when it last passed its checks; null until then.' }),
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
    list_tokens: z.int().meta({ description: 'About what the list costs in tokens.' }),
  })
  .meta({ id: 'BuildReport', description: 'What became of the source, and what was left out and why.' });

const toolTokens = z
  .array(z.strictObject({ name: z.string(), tokens: z.int() }))
  .meta({ description: 'About what each tool costs an agent whenever it lists the tools.' });

const aliases = z.array(z.strictObject({ name: z.string(), alias: z.string() })).meta({
  description:
    'What tools are listed as on the tenant’s own URL, where their full names would be more than 64 characters behind ' +
    '`mcp__{tenant}__`, which clients put before them; they can be called by both names.',
});

const toolDigests = z
  .array(z.strictObject({ name: z.string(), sha256: z.string() }))
  .meta({ description: 'The canonical SHA-256 of every tool’s definition: what the release pins.' });

const npmPackage = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    integrity: z.string().meta({ description: 'Subresource integrity of its archive at the registry.' }),
    packages: z.int().meta({ description: 'How many packages were installed with it, itself included.' }),
  })
  .nullable()
  .meta({ description: 'The package of npm that it runs; null for other kinds of release.' });

const detailedRelease = z
  .strictObject({
    ...releaseShape,
    tool_names: z.array(z.string()),
    tool_digests: toolDigests,
    tool_tokens: toolTokens,
    aliases,
    package: npmPackage,
    report: reportSchema,
  })
  .meta({ id: 'ReleaseDetails' });

const releaseParams = serverParams.extend({ release: z.uuid() });

/** A major version stands in URLs, so it has five digits at most; build metadata would make two names of one version. */
const versionSchema = z
  .string()
  .max(64)
  .refine(
    (text) => valid(text) === text && /^\d{1,5}\./.test(text),
    'a semantic version without build metadata, such as 1.4.0 or 2.0.0-rc.1',
  )
  .meta({ description: 'A semantic version; no two releases of a server bear the same.' });

const KEPT_DAYS_MAX = 730;

/** What may be said beside the release that is to go live. */
export const publishOptions = {
  acknowledge_breaking: z
    .boolean()
    .default(false)
    .meta({ description: 'Says that breaking agents of the live release is meant; recorded in the audit log.' }),
  acknowledge_rejected: z.boolean().default(false).meta({
    description: 'Says that a release which a rollout took back is meant to go out again; recorded in the audit log.',
  }),
  override_schedule: z.boolean().default(false).meta({
    description: 'Says that the server’s release windows and its freeze do not matter; recorded in the audit log.',
  }),
  previous_major_until: moment
    .refine((text) => isWithin(text, KEPT_DAYS_MAX), `a time from now to ${KEPT_DAYS_MAX} days from now`)
    .optional()
    .meta({
      description:
        'With a new major version: how long the live one stays reachable at `/{server}@{major}/mcp`; 90 days without it.',
    }),
};

const publishOptionsSchema = z.strictObject(publishOptions);

/** How a release is to be published. */
export type PublishOptions = z.output<typeof publishOptionsSchema>;

function isWithin(text: string, days: number): boolean {
  const inMs = Date.parse(text) - Date.now();
  return inMs > 0 && inMs <= days * 86_400_000;
}

const source = releaseSourceSchema.refine(
  (given) => given.kind !== 'openapi' || (given.document === undefined) !== (given.artefact === undefined),
  'Give either `document` or `artefact`.',
);

/** `POST /v1/servers/{server}/releases` */
export const createRelease = contract({
  summary:
    'Build a release from an OpenAPI document, HTTP tools, an MCP bundle, a package of npm or upstream MCP servers.',
  description:
    'The source is built inside a worker of the tenant. With `publish: true` the release is published as well. Every place of the source that cannot be used is named in `errors`.',
  params: serverParams,
  body: jsonBody(
    z.strictObject({
      source,
      version: versionSchema.optional(),
      publish: z.boolean().default(false),
      ...publishOptions,
    }),
    {
      bytesMax: 4 * 1024 * 1024,
      depthMax: 128,
      keysMax: 500_000,
    },
  ),
  answer: {
    status: 201,
    means: 'The release was built.',
    schema: z.strictObject({
      release: releaseSchema,
      report: reportSchema,
      tool_tokens: toolTokens,
      aliases,
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
  description:
    'Publishing what is live already, or on its way, changes nothing. What breaks agents of the live release needs ' +
    '`acknowledge_breaking`, or a new major version, beside which the old one stays reachable for its deprecation period.',
  params: releaseParams,
  body: jsonBody(publishOptionsSchema),
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
