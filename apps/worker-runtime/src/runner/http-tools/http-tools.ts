import type { ConnectionUse, Credential, Manifest, ReleaseSource } from '#libs/protocol';
import { buildHttpTool } from './http-tool.js';
import { at, Problems } from '../build-checks/problems.js';
import { refuseHidden } from '../build-checks/text-safety.js';

type HttpSource = Extract<ReleaseSource, { kind: 'http' }>;

/** The manifest of declarative HTTP tools. @throws AppError unprocessable with pointers into the source */
export function buildHttpTools(serverSlug: string, source: HttpSource): Manifest {
  const problems = new Problems();
  const { credentials = [], connections = [] } = source;
  const placed = [...credentials, ...connections.map(placedLogin)];
  refuseServerTexts(problems, source);
  refuseDuplicates(
    problems,
    '/tools',
    'name',
    source.tools.map((tool) => tool.name),
  );
  refuseDuplicates(
    problems,
    '/credentials',
    'id',
    placed.map((credential) => credential.id),
  );
  const byId = new Map(placed.map((credential) => [credential.id, credential]));
  const built = source.tools.map((tool, index) => buildHttpTool(problems, at('/tools', index), tool, byId));
  const origins = [...new Set(built.flatMap((tool) => (tool === undefined ? [] : [tool.origin])))].sort();
  refuseForeignOrigins(problems, '/credentials', credentials, origins);
  refuseForeignOrigins(problems, '/connections', connections, origins);
  problems.refuse();
  return {
    version: 1,
    kind: 'http',
    server: {
      name: serverSlug,
      ...(source.title === undefined ? {} : { title: source.title }),
      ...(source.instructions === undefined ? {} : { instructions: source.instructions }),
    },
    origins,
    credentials,
    ...(connections.length === 0 ? {} : { connections }),
    tools: built.flatMap((tool) => (tool === undefined ? [] : [tool.definition])),
  };
}

/** Where the token of a login stands in a request; it is no secret of the tenant's. */
function placedLogin({ id, origins }: ConnectionUse): Credential {
  return { id, origins, secret: '', in: 'header', name: 'Authorization', prefix: 'Bearer ' };
}

function refuseServerTexts(problems: Problems, { title, instructions }: HttpSource): void {
  if (title !== undefined) refuseHidden(problems, '/title', title);
  if (instructions !== undefined) refuseHidden(problems, '/instructions', instructions);
}

function refuseDuplicates(problems: Problems, pointer: string, property: string, names: readonly string[]): void {
  const first = new Map<string, number>();
  names.forEach((name, index) => {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else
      problems.add(
        at(pointer, index, property),
        `${JSON.stringify(name)} is used already at ${at(pointer, earlier, property)}. Choose another.`,
      );
  });
}

/** A credential is only for origins that the release's tools call; anything else would be a way out for it. */
function refuseForeignOrigins(
  problems: Problems,
  list: string,
  credentials: ReadonlyArray<Pick<Credential, 'origins'>>,
  origins: readonly string[],
): void {
  credentials.forEach((credential, index) =>
    credential.origins.forEach((origin, place) => {
      const pointer = at(list, index, 'origins', place);
      if (!URL.canParse(origin) || new URL(origin).origin !== origin)
        problems.add(
          pointer,
          `${JSON.stringify(origin)} is not an origin. Write scheme and host only, like https://api.example.com.`,
        );
      else if (!origins.includes(origin))
        problems.add(
          pointer,
          `No tool of this release calls ${origin}. A credential may name only origins that its tools call.`,
        );
    }),
  );
}
