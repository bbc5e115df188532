import { z } from 'zod';

/** A name that every major client accepts for a tool (MCP 2026-07-28, server/tools, "Tool Names"). */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const jsonSchema = z.record(z.string(), z.unknown());

/** Where an argument of a tool goes in the upstream request. */
export const placementSchema = z.strictObject({
  argument: z.string().min(1).max(256),
  in: z.enum(['path', 'query', 'header', 'body']),
  /** Its name there; for `body`, the property, or `''` for the whole body. */
  name: z.string().max(256),
  /** For `query`: how a list (`comma`, `space`, `pipe`) or an object (`deep`) stands there; without it, lists are repeated. */
  style: z.enum(['comma', 'space', 'pipe', 'deep']).optional(),
});

/** A credential that egress adds to a request, for the origins it is meant for and no other. */
export const credentialSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9_-]{1,64}$/i),
  /** Name of the tenant's secret. */
  secret: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/),
  in: z.enum(['header', 'query']),
  name: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/),
  /** Text before the value, for example `Bearer `. */
  prefix: z.string().max(32).default(''),
  /** Origins (`https://api.example.com`) that may receive it. */
  origins: z.array(z.url()).min(1).max(16),
});

/** How a tool becomes one upstream HTTP request. */
export const httpBindingSchema = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** Absolute URL with `{argument}` places in its path. */
  urlTemplate: z.string().min(8).max(2048),
  placements: z.array(placementSchema).max(256),
  /** Fixed request headers. */
  headers: z.record(z.string(), z.string()).default({}),
  bodyType: z.enum(['json', 'form', 'text']).optional(),
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
  http: httpBindingSchema,
});

/** A built release: everything a worker needs to serve it. Its SHA-256 over canonical JSON is the release's digest. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  kind: z.enum(['openapi', 'http']),
  server: z.strictObject({
    name: z.string(),
    title: z.string().optional(),
    instructions: z.string().max(16_384).optional(),
  }),
  /** Origins the release's tools may call; egress refuses any other. */
  origins: z.array(z.url()).max(64),
  credentials: z.array(credentialSchema).max(32),
  tools: z.array(toolSchema).max(2_000),
});

export type Placement = z.infer<typeof placementSchema>;
export type Credential = z.infer<typeof credentialSchema>;
export type HttpBinding = z.infer<typeof httpBindingSchema>;
export type ToolDefinition = z.infer<typeof toolSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** What a release is built from, as the tenant gave it (already bounded in size, its documents not yet looked into). */
export const releaseSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openapi'),
    /** The document inline: an object, or JSON or YAML text. */
    document: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
    /** Or the digest of an uploaded artefact (`sha256:…`). */
    artefact: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .optional(),
    /** Overrides the document's server URL. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    select: z
      .strictObject({
        tags: z.array(z.string()).max(256).optional(),
        /** Path prefixes, or globs with `*`. */
        paths: z.array(z.string()).max(256).optional(),
        operationIds: z.array(z.string()).max(2_000).optional(),
      })
      .optional(),
    /** Names a secret for a security scheme of the document: scheme name → secret name. */
    credentials: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal('http'),
    title: z.string().max(256).optional(),
    instructions: z.string().max(16_384).optional(),
    credentials: z.array(credentialSchema).max(32).optional(),
    tools: z
      .array(
        z.strictObject({
          name: z.string().regex(TOOL_NAME),
          title: z.string().max(256).optional(),
          description: z.string().min(1).max(16_384),
          inputSchema: jsonSchema.optional(),
          outputSchema: jsonSchema.optional(),
          annotations: annotationsSchema.optional(),
          method: httpBindingSchema.shape.method,
          /** `https://host/path/{argument}`. */
          url: z.string().min(8).max(2048),
          /** Where arguments go that are not in the URL; default: query for GET, HEAD and DELETE, JSON body otherwise. */
          placements: z.array(placementSchema).max(256).optional(),
          headers: z.record(z.string(), z.string()).optional(),
          bodyType: httpBindingSchema.shape.bodyType,
          credentials: z.array(z.string()).max(4).optional(),
          timeoutMs: z.int().min(100).max(120_000).optional(),
        }),
      )
      .min(1)
      .max(500),
  }),
]);

export type ReleaseSource = z.infer<typeof releaseSourceSchema>;

/** What a build answers beside the manifest: what was left out and why. */
export interface BuildReport {
  readonly tools: number;
  readonly skipped: ReadonlyArray<{ readonly pointer: string; readonly operation: string; readonly reason: string }>;
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string; readonly reason: string }>;
  /** Bytes of the tool list as an agent receives it, and its cost in tokens (4 bytes to a token, rounded up). */
  readonly listBytes: number;
  readonly listTokens: number;
}
