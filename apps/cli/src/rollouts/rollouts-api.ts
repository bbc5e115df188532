import { z } from 'zod';
import { queryOf, type HttpDoor } from '#libs/journey';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';

const tallySchema = z.looseObject({ calls: z.number(), errors: z.number(), p95_ms: z.number().nullable() });

const verdictSchema = z.looseObject({
  decision: z.string(),
  reason: z.string(),
  findings: z.array(z.looseObject({ sentence: z.string() })),
  candidate: tallySchema,
  stable: tallySchema,
  hold: z.string().optional(),
});

/** How a release is brought to the callers. */
export const STRATEGIES: readonly string[] = ['canary', 'blue-green', 'shadow'];

/** A rollout as the management API answers it. */
export const rolloutSchema = z.looseObject({
  id: z.string(),
  release: z.string(),
  stable_release: z.string(),
  strategy: z.string(),
  steps: z.array(z.object({ percent: z.number(), seconds: z.number() })),
  state: z.string(),
  step: z.number(),
  percent: z.number(),
  reason: z.string().nullable(),
  verdict: verdictSchema.nullable(),
  ended_at: z.string().nullable(),
});
const answerSchema = z.object({ rollout: rolloutSchema });
const listSchema = z.object({ rollouts: z.array(rolloutSchema) });

/** A rollout as the management API shows it. */
export type SeenRollout = z.infer<typeof rolloutSchema>;

/** Where somebody can have a rollout go. */
export type Move = 'pause' | 'resume' | 'promote' | 'abort';

/** The rollouts of one server, through the management API. */
export class RolloutsApi {
  readonly #path: string;

  constructor(
    private readonly session: Session,
    private readonly server: string,
  ) {
    this.#path = `/v1/servers/${encodeURIComponent(server)}/rollouts`;
  }

  /** Begins one. @throws ApiProblem where it is refused */
  async start(order: Readonly<Record<string, unknown>>): Promise<SeenRollout> {
    const door = await this.#door();
    return (await door.ask({ method: 'POST', path: this.#path, body: order }, answerSchema)).rollout;
  }

  /** The one with this id. @throws ApiProblem where there is none */
  async get(id: string): Promise<SeenRollout> {
    const path = `${this.#path}/${encodeURIComponent(id)}`;
    return (await (await this.#door()).ask({ method: 'GET', path }, answerSchema)).rollout;
  }

  /** The server's newest, which is the open one where one is open. @throws CliProblem where it never had one */
  async newest(): Promise<SeenRollout> {
    const path = `${this.#path}${queryOf({ limit: 1 })}`;
    const [newest] = (await (await this.#door()).ask({ method: 'GET', path }, listSchema)).rollouts;
    if (newest !== undefined) return newest;
    throw new CliProblem(
      `${this.server} never had a rollout.`,
      `Begin one: wharf rollout start ${this.server} RELEASE`,
    );
  }

  /** Moves one. @throws ApiProblem where it cannot go there */
  async move(id: string, move: Move): Promise<SeenRollout> {
    const path = `${this.#path}/${encodeURIComponent(id)}/${move}`;
    return (await (await this.#door()).ask({ method: 'POST', path }, answerSchema)).rollout;
  }

  /** A door for each request, for a rollout may be followed longer than a token lives. */
  #door(): Promise<HttpDoor> {
    return this.session.door();
  }
}
