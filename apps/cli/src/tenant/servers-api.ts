import { z } from 'zod';
import { pagesOf } from '../session/pages.js';
import type { Session } from '../session/session.js';

const serverSchema = z.object({
  slug: z.string(),
  name: z.string(),
  live_release: z.object({ number: z.number() }).nullable(),
  urls: z.object({ mcp: z.string() }),
});
const pageSchema = z.object({ servers: z.array(serverSchema), next_cursor: z.string().nullable() });

/** A tenant's servers, newest first; `next_cursor` where there are more than anybody reads. */
export type ServerPage = z.infer<typeof pageSchema>;

/** All servers of the tenant. @throws ApiProblem, CliProblem where nobody is signed in */
export async function findServers(session: Session): Promise<ServerPage> {
  const servers: ServerPage['servers'] = [];
  let next: string | null = null;
  for await (const page of pagesOf(session, '/v1/servers', pageSchema)) {
    servers.push(...page.servers);
    next = page.next_cursor;
  }
  return { servers, next_cursor: next };
}
