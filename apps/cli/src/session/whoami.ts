import { z } from 'zod';
import { ApiProblem, type Tenant } from '#libs/journey';
import type { Run } from '../commands/command.js';
import { resourcesOf, type Session } from './session.js';

const meSchema = z.looseObject({
  who: z.discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('person'), email: z.string(), role: z.string(), groups: z.array(z.string()) }),
    z.looseObject({
      kind: z.literal('api_key'),
      name: z.string(),
      prefix: z.string(),
      scopes: z.array(z.string()),
      expires_at: z.string().nullable(),
    }),
    z.looseObject({ kind: z.literal('operator'), id: z.string() }),
  ]),
});
type Me = z.infer<typeof meSchema>;

/** `wharf whoami`: who the installation takes us for, at which tenant. */
export async function whoami(run: Run): Promise<void> {
  const session = await run.session();
  const { url, apiKey, tenant: slug, grants } = session.profile;
  const means = apiKey === undefined ? 'sign-in' : 'API key';
  const { management, calls } = resourcesOf(session.profile);
  if (apiKey === undefined && grants[management] === undefined && grants[calls] !== undefined) {
    return run.output.result({ profile: session.name, url, means, tenant: { slug } }, [
      `${slug} at ${url}`,
      'By sign-in, for `wharf tools` and `wharf call` alone',
    ]);
  }
  const [tenant, me] = [await (await session.api()).tenant(), await findMe(session)];
  run.output.result({ profile: session.name, url, means, who: me?.who ?? null, tenant }, [
    ...whoText(me, means),
    placeText(tenant, url),
  ]);
}

/** Undefined where the installation is of a version that cannot say it. */
async function findMe(session: Session): Promise<Me | undefined> {
  try {
    return await (await session.door()).ask({ method: 'GET', path: '/v1/me' }, meSchema);
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return undefined;
    throw error;
  }
}

function whoText(me: Me | undefined, means: string): string[] {
  if (me === undefined) return [`By ${means}`];
  const { who } = me;
  switch (who.kind) {
    case 'person':
      return [`${who.email}, ${[who.role, ...who.groups.map((group) => `group ${group}`)].join(', ')}`];
    case 'api_key':
      return [
        `API key ${who.prefix}… (${who.name}), scopes ${who.scopes.join(', ')}`,
        ...(who.expires_at === null ? [] : [`It ends at ${who.expires_at}`]),
      ];
    case 'operator':
      return [`Operator ${who.id}, for reading`];
  }
}

function placeText({ name, slug, plan, status }: Tenant, url: string): string {
  return `${name} (${slug}) at ${url}; plan ${plan}, ${status}`;
}
