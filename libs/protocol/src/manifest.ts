import { z } from 'zod';

/** A name that every major client accepts for a tool (MCP 2026-07-28, server/tools, "Tool Names"). */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const jsonSchema = z.record(z.string(), z.unknown());

/** Where an argument of a tool goes in the upstream request. */
export const placementSchema = z.strictObject({
  argument: z.string().min(1).max(256).describe('Name of the argument.'),
  in: z.enum(['path', 'query', 'header', 'body']),
  name: z.string().max(256).describe('Its name there; for `body`, the property, or an empty text for the whole body.'),
  style: z
    .enum(['comma', 'space', 'pipe', 'deep'])
    .optional()
    .describe('For `query`: how a list or an object (`deep`) stands there; without it, lists are repeated.'),
});

/** A credential that egress adds to a request, for the origins it is meant for and no other. */
export const credentialSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/i)
    .describe('What tools name it by.'),
  secret: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
    .describe('Name of one of your secrets.'),
  in: z.enum(['header', 'query']),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .describe('Name of the header or query parameter.'),
  prefix: z.string().max(32).default('').describe('Text before the value, such as `Bearer ` with its space.'),
  origins: z.array(z.url()).min(1).max(16).describe('Origins that may receive it: `https://api.example.com`.'),
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

/** What a build answers beside the manifest: what was left out and why. */
export interface BuildReport {
  readonly tools: number;
  readonly skipped: ReadonlyArray<{ readonly pointer: string; readonly operation: string; readonly reason: string }>;
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string; readonly reason: string }>;
  /** Bytes of the tool list as an agent receives it, and its cost in tokens (4 bytes to a token, rounded up). */
  readonly listBytes: number;
  readonly listTokens: number;
}
