/** What a collection in the paths of the management API holds, and the command that lists it. */
interface Thing {
  readonly name: string;
  readonly see?: (server: string) => string;
}

const THINGS: Readonly<Record<string, Thing>> = {
  servers: { name: 'server', see: () => 'wharf servers' },
  releases: { name: 'release', see: (server) => `wharf releases ${server}` },
  rollouts: { name: 'rollout', see: (server) => `wharf rollout status ${server}` },
  candidates: { name: 'candidate', see: (server) => `wharf drift list ${server}` },
  secrets: { name: 'secret', see: () => 'wharf secrets list' },
  versions: { name: 'version' },
  approvals: { name: 'approval', see: () => 'wharf approvals list' },
  exports: { name: 'archive' },
};

/**
 * What is missing where the management API answers that nothing was found: it says no more to anybody, and we know
 * what we asked for.
 *
 * @param request its method and its path with the query
 * @returns a sentence and what to do, undefined where the path names nothing that we know
 */
export function missingThing(request: string): { readonly sentence: string; readonly advice?: string } | undefined {
  const url = new URL(request.split(' ')[1] ?? '/', 'http://wharf');
  const named = namedIn(url.pathname);
  const environment = url.searchParams.get('environment') ?? undefined;
  const at = url.searchParams.get('at');
  if (at !== null) return { sentence: `There is no server or profile "${at}".`, advice: 'See `wharf servers`.' };
  const [last, before] = named.toReversed();
  if (last === undefined)
    return environment === undefined ? undefined : { sentence: `There is no environment "${environment}".` };
  const { thing, id } = last;
  const within = before === undefined ? '' : ` of ${before.thing.name} "${before.id}"`;
  const or = [
    ...(before === undefined ? [] : [`no such ${before.thing.name}`]),
    ...(environment === undefined ? [] : [`no environment "${environment}"`]),
  ];
  const see = thing.see?.(before?.id ?? '');
  return {
    sentence: `${[`There is no ${thing.name} "${id}"${within}`, ...or].join(', or ')}.`,
    ...(see === undefined ? {} : { advice: `See \`${see}\`.` }),
  };
}

/** The things that a path names by collection and id, outermost first. */
function namedIn(pathname: string): ReadonlyArray<{ readonly thing: Thing; readonly id: string }> {
  const segments = pathname.split('/').filter((segment) => segment !== '');
  return segments.flatMap((segment, at) => {
    const [thing, id] = [Object.hasOwn(THINGS, segment) ? THINGS[segment] : undefined, segments[at + 1]];
    return thing === undefined || id === undefined ? [] : [{ thing, id: decodeURIComponent(id) }];
  });
}
