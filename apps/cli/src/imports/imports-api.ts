import { z } from 'zod';
import { queryOf, type HttpDoor } from '#libs/journey';

const importSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  slug: z.string().nullable(),
  plan: z.string(),
  parts: z.number(),
  received: z.number(),
  failure: z.string().nullable(),
  tenant: z.object({ id: z.string(), slug: z.string() }).nullable(),
  created_at: z.string(),
  retry_until: z.string().nullable(),
});
const importsSchema = z.object({ imports: z.array(importSchema) });

/** A tenant on its way in, as the operators' API shows it. */
export type SeenImport = z.infer<typeof importSchema>;

/** What is to be otherwise when an import is tried again; what is left out stays as it was said. */
export interface Retry {
  readonly reason: string;
  readonly slug?: string | undefined;
  readonly plan?: string | undefined;
  readonly home_region?: string | undefined;
  readonly signed_by?: readonly string[] | undefined;
  readonly secret?: object | undefined;
}

/** Archives of tenants that operators bring in. */
export class ImportsApi {
  constructor(private readonly door: HttpDoor) {}

  /** The newest ones. @throws ApiProblem */
  async list(limit: number): Promise<SeenImport[]> {
    return (await this.door.ask({ method: 'GET', path: `/admin/v1/imports${queryOf({ limit })}` }, importsSchema))
      .imports;
  }

  /** The one with this id. @throws ApiProblem where there is none */
  async get(id: string): Promise<SeenImport> {
    return this.door.ask({ method: 'GET', path: pathOf(id) }, importSchema);
  }

  /** Tries one that failed again, with what was uploaded. @throws ApiProblem where that cannot be done any more */
  async retry(id: string, body: Retry): Promise<SeenImport> {
    return this.door.ask({ method: 'POST', path: `${pathOf(id)}/retry`, body }, importSchema);
  }
}

function pathOf(id: string): string {
  return `/admin/v1/imports/${encodeURIComponent(id)}`;
}
