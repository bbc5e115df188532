import { z } from 'zod';
import { credentialSchema, type Credential } from '#libs/protocol';

const TIMEOUT_MS = 30_000;

/** What of a manifest concerns egress; the rest is the runner's. */
const policySchema = z.object({
  origins: z.array(z.url()).max(64),
  credentials: z.array(credentialSchema).max(32),
  tools: z
    .array(
      z.object({
        name: z.string(),
        annotations: z
          .object({ readOnlyHint: z.boolean().default(false), idempotentHint: z.boolean().default(false) })
          .optional(),
        http: z
          .object({
            credentials: z.array(z.string()).max(4).default([]),
            timeoutMs: z.number().positive().default(TIMEOUT_MS),
          })
          .optional(),
      }),
    )
    .max(2_000),
});

/** What egress knows of a tool. */
export interface ToolPolicy {
  readonly credentials: readonly string[];
  readonly timeoutMs: number;
  /** It says of itself that it changes nothing. */
  readonly readOnly: boolean;
  /** It says of itself that running it twice is running it once. */
  readonly idempotent: boolean;
}

/** Where a release's tools may go and which credentials they take along. */
export class EgressPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #tools: ReadonlyMap<string, ToolPolicy>;
  /** Names of every secret the release uses. */
  readonly secretNames: readonly string[];

  private constructor(parsed: z.infer<typeof policySchema>) {
    this.#origins = new Set(parsed.origins.map((origin) => new URL(origin).origin));
    this.#credentials = new Map(parsed.credentials.map((credential) => [credential.id, credential]));
    this.#tools = new Map(parsed.tools.map((tool) => [tool.name, toolPolicy(tool)]));
    this.secretNames = [...new Set(parsed.credentials.map((credential) => credential.secret))];
  }

  /** The policy in a manifest's bytes. @throws ZodError, SyntaxError when they are no manifest */
  static read(manifest: Buffer): EgressPolicy {
    return new EgressPolicy(policySchema.parse(JSON.parse(manifest.toString('utf8'))));
  }

  /** Whether the release's tools may call an origin: scheme, host and port. */
  allows(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** The release's tool of this name. */
  findTool(tool: string): ToolPolicy | undefined {
    return this.#tools.get(tool);
  }

  /** The credentials that a tool's request to an origin carries. */
  credentialsFor(tool: string, origin: string): Credential[] {
    return (this.#tools.get(tool)?.credentials ?? []).flatMap((id) => {
      const credential = this.#credentials.get(id);
      return credential?.origins.some((allowed) => new URL(allowed).origin === origin) === true ? [credential] : [];
    });
  }
}

function toolPolicy({ annotations, http }: z.infer<typeof policySchema>['tools'][number]): ToolPolicy {
  return {
    credentials: http?.credentials ?? [],
    timeoutMs: http?.timeoutMs ?? TIMEOUT_MS,
    readOnly: annotations?.readOnlyHint === true,
    idempotent: annotations?.idempotentHint === true || annotations?.readOnlyHint === true,
  };
}
