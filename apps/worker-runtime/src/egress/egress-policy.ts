import { z } from 'zod';
import { credentialSchema, type Credential } from '#libs/protocol';

/** What of a manifest concerns egress; the rest is the runner's. */
const policySchema = z.object({
  origins: z.array(z.url()).max(64),
  credentials: z.array(credentialSchema).max(32),
  tools: z
    .array(z.object({ name: z.string(), http: z.object({ credentials: z.array(z.string()).max(4).default([]) }) }))
    .max(2_000),
});

/** Where a release's tools may go and which credentials they take along. */
export class EgressPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #tools: ReadonlyMap<string, readonly string[]>;
  /** Names of every secret the release uses. */
  readonly secretNames: readonly string[];

  private constructor(parsed: z.infer<typeof policySchema>) {
    this.#origins = new Set(parsed.origins.map((origin) => new URL(origin).origin));
    this.#credentials = new Map(parsed.credentials.map((credential) => [credential.id, credential]));
    this.#tools = new Map(parsed.tools.map((tool) => [tool.name, tool.http.credentials]));
    this.secretNames = [...new Set(parsed.credentials.map((credential) => credential.secret))];
  }

  /** The policy in a manifest's bytes. @throws ZodError, SyntaxError when they are no manifest */
  static read(manifest: Buffer): EgressPolicy {
    return new EgressPolicy(policySchema.parse(JSON.parse(manifest.toString('utf8'))));
  }

  /** Whether the release's tools may call an origin. */
  allows(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** Whether the release has a tool of this name. */
  hasTool(tool: string): boolean {
    return this.#tools.has(tool);
  }

  /** The credentials that a tool's request to an origin carries. */
  credentialsFor(tool: string, origin: string): Credential[] {
    return (this.#tools.get(tool) ?? []).flatMap((id) => {
      const credential = this.#credentials.get(id);
      return credential?.origins.some((allowed) => new URL(allowed).origin === origin) === true ? [credential] : [];
    });
  }
}
