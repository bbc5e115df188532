import { z } from 'zod';
import { credentialSchema, SECRET_NAME } from './credential.js';
import { KNOWLEDGE_TOOLS, knowledgeSettingsSchema } from './knowledge.js';
import { connectionUseSchema, grantSchema, upstreamAccessSchema, upstreamPinsSchema } from './remote.js';
import { toolLimitsSchema } from './tool-limits.js';

/** A name that every major client accepts for a tool (MCP 2026-07-28, server/tools, "Tool Names"). */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const jsonSchema = z.record(z.string(), z.unknown());

/** Where an argument of a tool goes in the upstream request. */
export const placementSchema = z.strictObject({
  argument: z.string().min(1).max(256).describe('Name of the argument.'),
  in: z.enum(['path', 'query', 'header', 'cookie', 'body']),
  name: z.string().max(256).describe('Its name there; for `body`, the property, or an empty text for the whole body.'),
  style: z
    .enum(['comma', 'space', 'pipe', 'deep', 'exploded', 'json'])
    .optional()
    .describe(
      'For `query`, and fields of a form: how a list or an object stands there. Objects: `deep` (`a[b]=1`), `exploded` (a parameter for each property). Anything: `json`. Without it, lists are repeated.',
    ),
  part: z
    .strictObject({
      type: z
        .string()
        .regex(/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/)
        .optional()
        .describe('Its media type, like `application/json`.'),
      file: z.literal(true).optional().describe('The argument is a file: base64, or `{data, filename, mimeType}`.'),
    })
    .optional()
    .describe('For a `multipart` body: how the argument is sent.'),
});

/** How a tool becomes one upstream HTTP request. */
export const httpBindingSchema = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** Absolute URL with `{argument}` places in its path. */
  urlTemplate: z.string().min(8).max(2048),
  placements: z.array(placementSchema).max(256),
  /** Fixed request headers. */
  headers: z.record(z.string(), z.string()).default({}),
  bodyType: z.enum(['json', 'form', 'text', 'multipart']).optional(),
  /** JMESPath: what is taken out of a JSON answer. */
  shape: z.string().min(1).max(1_024).optional(),
  /** Ids of credentials to add. */
  credentials: z.array(z.string()).max(4).default([]),
  timeoutMs: z.int().min(100).max(120_000).default(30_000),
});

/** MCP tool annotations. */
export const annotationsSchema = z.strictObject({
  title: z.string().max(256).optional(),
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  idempotentHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
});

/** One tool of a release. */
export const toolSchema = z.strictObject({
  name: z.string().regex(TOOL_NAME),
  title: z.string().max(256).optional(),
  description: z.string().max(16_384),
  inputSchema: jsonSchema,
  outputSchema: jsonSchema.optional(),
  annotations: annotationsSchema.optional(),
  /** What extensions say of the tool, of servers of others alone: MCP Apps, for one, name its UI resource. */
  _meta: z.record(z.string(), z.unknown()).optional(),
  /** What its owner allows it, beside the time limit of an HTTP request. */
  limits: toolLimitsSchema.optional(),
  http: httpBindingSchema,
});

const releaseShape = {
  version: z.literal(1),
  server: z.strictObject({
    name: z.string(),
    title: z.string().optional(),
    instructions: z.string().max(16_384).optional(),
  }),
  /** Origins the release's tools may call; egress refuses any other. */
  origins: z.array(z.url()).max(64),
  credentials: z.array(credentialSchema).max(32),
};

/** A release of tools that are HTTP requests. */
const httpManifestSchema = z.strictObject({
  ...releaseShape,
  kind: z.enum(['openapi', 'http']),
  connections: z.array(connectionUseSchema).max(32).optional(),
  tools: z.array(toolSchema).max(2_000),
});

/** A text that is put together when a third-party server starts: as it is, a secret's value, a folder of the worker. */
const startTextSchema = z
  .array(
    z.union([
      z.string().max(16_384),
      z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
      z.strictObject({ folder: z.enum(['bundle', 'home']) }),
    ]),
  )
  .max(64);

/** What a third-party server offers beside tools, as it said when the release was built. */
const offersSchema = z.strictObject({
  resources: z.strictObject({ subscribe: z.boolean() }).optional(),
  prompts: z.strictObject({}).optional(),
  completions: z.strictObject({}).optional(),
  logging: z.strictObject({}).optional(),
  /** Extensions that it has, by their ids, with their settings. */
  extensions: z.record(z.string().max(256), z.record(z.string(), z.json())).optional(),
});

/** The packages of a bundle, as its lock file names them. */
const packagesSchema = z.strictObject({
  versions: z.record(z.string().max(320), z.array(z.string().max(64))),
  /** Names of those that would run a script when they are installed, which is never done here. */
  installScripts: z.array(z.string().max(320)).max(5_000),
  /** What the registry's hash of each was when it was installed here, by `name@version`. */
  integrities: z.record(z.string().max(400), z.string().max(512)).optional(),
});

/** The package of an npm registry that was installed and packed when the release was built. */
const npmPackageSchema = z.strictObject({
  name: z.string().max(214),
  version: z.string().max(256),
  /** Subresource integrity of the registry's archive. */
  integrity: z.string().max(512),
});

/** What a worker starts of an uploaded MCP bundle. */
const bundleSchema = z.strictObject({
  /** Digest of the archive. */
  artefact: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Path of the module that is the server, inside the archive. */
  entryPoint: z.string().min(1).max(1_024),
  /** Name and version as the bundle gives them. */
  name: z.string().max(256),
  version: z.string().max(64),
  /** Which protocol era the server speaks, or that it speaks both. */
  era: z.enum(['modern', 'legacy', 'both']),
  /** What it is started with. */
  args: z.array(startTextSchema).max(64).optional(),
  env: z.record(z.string().max(128), startTextSchema).optional(),
  /** Names of all secrets in them. */
  secrets: z.array(z.string().regex(SECRET_NAME)).max(64).optional(),
  offers: offersSchema.optional(),
  packages: packagesSchema.optional(),
  npm: npmPackageSchema.optional(),
});

/** A release whose tools are run by a bundled server; their definitions are as it listed them when the release was built. */
const bundleManifestSchema = z.strictObject({
  ...releaseShape,
  kind: z.literal('bundle'),
  bundle: bundleSchema,
  tools: z.array(toolSchema.omit({ http: true })).max(2_000),
});

/** One of the upstream MCP servers of a release: how it is reached, what it offers, what of it was approved. */
const upstreamSchema = upstreamAccessSchema.extend({
  /** Which protocol era it speaks. */
  era: z.enum(['modern', 'legacy']),
  /** Set where it knows HTTP+SSE of 2024-11-05 and nothing newer. */
  transport: z.literal('sse').exactOptional(),
  offers: offersSchema,
  pins: upstreamPinsSchema,
});

/** A release whose tools are run by upstream MCP servers; their definitions are as they were listed when it was built. */
const remoteManifestSchema = z.strictObject({
  ...releaseShape,
  kind: z.literal('remote'),
  remote: z.strictObject({ upstreams: z.array(upstreamSchema).min(1).max(16), grants: z.array(grantSchema).max(16) }),
  tools: z
    .array(
      toolSchema.omit({ http: true }).extend({
        /** Whose it is, and its name there. */
        upstream: z.strictObject({ name: z.string(), tool: z.string().max(256) }),
      }),
    )
    .max(2_000),
});

/** A release that serves documents of the tenant, which are none of it; each tool with what it does. */
const knowledgeManifestSchema = z.strictObject({
  ...releaseShape,
  kind: z.literal('knowledge'),
  knowledge: knowledgeSettingsSchema,
  tools: z.array(toolSchema.omit({ http: true }).extend({ does: z.enum(KNOWLEDGE_TOOLS) })).max(8),
});

/** A built release: everything a worker needs to serve it. Its SHA-256 over canonical JSON is the release's digest. */
export const manifestSchema = z.discriminatedUnion('kind', [
  httpManifestSchema,
  bundleManifestSchema,
  remoteManifestSchema,
  knowledgeManifestSchema,
]);

/** How the canonical JSON of a bundle's manifest begins, and of no other. */
const BUNDLE_BEGINS = Buffer.from('{"bundle":');

/** What of a built release's server concerns those who hand it over: its archive and the secrets it is started with. */
export interface BundleNeeds {
  readonly artefact: string;
  readonly secrets: readonly string[];
}

const { artefact: artefactSchema, secrets: secretsSchema } = bundleSchema.shape;
const needsSchema = z.object({ bundle: z.object({ artefact: artefactSchema, secrets: secretsSchema }) });

/** What a built release that runs a bundle needs; undefined for every other. @throws when it is no manifest */
export function bundleNeedsOf(manifest: Buffer): BundleNeeds | undefined {
  if (!manifest.subarray(0, BUNDLE_BEGINS.length).equals(BUNDLE_BEGINS)) return undefined;
  const { artefact, secrets = [] } = needsSchema.parse(JSON.parse(manifest.toString('utf8'))).bundle;
  return { artefact, secrets };
}

export type Placement = z.infer<typeof placementSchema>;
export type HttpBinding = z.infer<typeof httpBindingSchema>;
export type ToolDefinition = z.infer<typeof toolSchema>;
/** A tool as agents are told of it, without how it runs. */
export type ListedDefinition = Omit<ToolDefinition, 'http'>;
export type Manifest = z.infer<typeof httpManifestSchema>;
export type PackedPackages = z.infer<typeof packagesSchema>;
export type Bundle = z.infer<typeof bundleSchema>;
export type StartText = z.infer<typeof startTextSchema>;
export type Offers = z.infer<typeof offersSchema>;
export type BundleManifest = z.infer<typeof bundleManifestSchema>;
export type RemoteManifest = z.infer<typeof remoteManifestSchema>;
export type KnowledgeManifest = z.infer<typeof knowledgeManifestSchema>;
export type RemoteUpstream = z.infer<typeof upstreamSchema>;
/** A manifest of any kind. */
export type AnyManifest = z.infer<typeof manifestSchema>;

/** What a build answers beside the manifest: what was left out and why. */
export interface BuildReport {
  readonly tools: number;
  readonly skipped: ReadonlyArray<{ readonly pointer: string; readonly operation: string; readonly reason: string }>;
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string; readonly reason: string }>;
  /** Bytes of the tool list as an agent receives it, and about what it costs in tokens (`estimateTokens`). */
  readonly listBytes: number;
  readonly listTokens: number;
}
