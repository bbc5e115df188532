import { z } from 'zod';
import { queryOf } from '#libs/journey';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';

const names = z.array(z.string());
const changes = z.object({ added: names, removed: names, changed: names });

const candidateSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  effect: z.string().nullable(),
  tools: changes,
  prompts: changes,
  instructions_changed: z.boolean(),
  problems: z.array(z.object({ pointer: z.string(), message: z.string() })),
  reason: z.string().nullable(),
  rollout: z.string().nullable(),
  found_at: z.string(),
});
const replaced = z.object({ before: z.unknown(), after: z.unknown() }).nullable();
const schemaChanges = z.array(z.object({ pointer: z.string(), change: z.string(), effect: z.string() }));
const detailSchema = z.looseObject({
  candidate: candidateSchema,
  diff: z
    .looseObject({
      changed: z.array(
        z.looseObject({
          name: z.string(),
          effect: z.string(),
          input: schemaChanges,
          output: schemaChanges,
          description: replaced,
          title: replaced,
          annotations: replaced,
          // A control plane of before does not say it.
          meta: replaced.default(null),
        }),
      ),
    })
    .nullable(),
  instructions: replaced,
});
const watchSchema = z.looseObject({
  policy: z.string(),
  outcome: z.string().nullable(),
  detail: z.string().nullable(),
  checked_at: z.string().nullable(),
});
const listSchema = z.object({ candidates: z.array(candidateSchema) });
const decidedSchema = z.object({ candidate: candidateSchema });
const driftSchema = z.object({ drift: watchSchema });

/** What an upstream lists that was not approved, as the management API shows it. */
export type SeenCandidate = z.infer<typeof candidateSchema>;

/** The same with all that is different. */
export type CandidateDetail = z.infer<typeof detailSchema>;

/** What is done where upstreams change, and the last look at them. */
export type SeenWatch = z.infer<typeof watchSchema>;

/** The drift of one server, through the management API. */
export class DriftApi {
  readonly #path: string;

  constructor(
    private readonly session: Session,
    private readonly server: string,
  ) {
    this.#path = `/v1/servers/${encodeURIComponent(server)}/drift`;
  }

  /** The policy and the last look. @throws ApiProblem */
  async watch(): Promise<SeenWatch> {
    return this.#drift('GET', '');
  }

  /** Says what is done from now on. @throws ApiProblem */
  async setPolicy(policy: string): Promise<SeenWatch> {
    return this.#drift('PUT', '', { policy });
  }

  /** Has the upstreams looked at. @throws ApiProblem */
  async check(): Promise<SeenWatch> {
    return this.#drift('POST', '/check');
  }

  /** The newest candidates. @throws ApiProblem */
  async list(limit: number): Promise<SeenCandidate[]> {
    return (await this.#ask(listSchema, 'GET', `/candidates${queryOf({ limit })}`)).candidates;
  }

  /** The one with this id. @throws ApiProblem where there is none */
  async get(id: string): Promise<CandidateDetail> {
    return this.#ask(detailSchema, 'GET', `/candidates/${encodeURIComponent(id)}`);
  }

  /** The newest that waits for somebody. @throws CliProblem where none does */
  async newest(): Promise<string> {
    const waits = (await this.list(100)).find(({ state }) => state === 'pending' || state === 'queued');
    if (waits !== undefined) return waits.id;
    throw new CliProblem(`Nothing of ${this.server} waits.`, `See all of it: wharf drift list ${this.server}`);
  }

  /** Approves or refuses one. @throws ApiProblem where it cannot be decided any more */
  async decide(id: string, verb: 'approve' | 'refuse', body: object): Promise<SeenCandidate> {
    const path = `/candidates/${encodeURIComponent(id)}/${verb}`;
    return (await this.#ask(decidedSchema, 'POST', path, body)).candidate;
  }

  async #drift(method: 'GET' | 'PUT' | 'POST', path: string, body?: object): Promise<SeenWatch> {
    return (await this.#ask(driftSchema, method, path, body)).drift;
  }

  async #ask<Shape extends z.ZodType>(
    shape: Shape,
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: object,
  ): Promise<z.output<Shape>> {
    const door = await this.session.door();
    return door.ask({ method, path: `${this.#path}${path}`, ...(body === undefined ? {} : { body }) }, shape);
  }
}
