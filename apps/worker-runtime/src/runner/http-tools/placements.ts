import type { Credential, Placement } from '#libs/protocol';
import { didYouMean } from '../checks/closest.js';
import type { HttpToolSource } from './http-tool-source.js';
import { at, type Problems } from '../build-checks/problems.js';
import { COOKIE_NAME, refuseHeader } from '../build-checks/url-template.js';

/** What placements are checked against. */
export interface PlacementContext {
  readonly tool: HttpToolSource;
  readonly placements: readonly Placement[];
  readonly properties: readonly string[];
  /** Places of the URL template. */
  readonly places: readonly string[];
  readonly credentials: ReadonlyMap<string, Credential>;
}

/** Notes every way in which the arguments and the places of a request do not fit each other. */
export function refusePlacements(problems: Problems, pointer: string, context: PlacementContext): void {
  const { tool, placements, properties } = context;
  for (const place of context.places) {
    if (
      !placements.some(
        (placement) => placement.in === 'path' && placement.name === place && properties.includes(placement.argument),
      )
    ) {
      problems.add(
        at(pointer, 'url'),
        `{${place}} has no argument: the input schema has no property ${JSON.stringify(place)}.${didYouMean(place, properties)}`,
      );
    }
  }
  tool.placements?.forEach((placement, index) =>
    refusePlacement(problems, at(pointer, 'placements', index), placement, context),
  );
  for (const name of properties) {
    if (!placements.some((placement) => placement.argument === name)) {
      problems.add(
        at(pointer, 'inputSchema', 'properties', name),
        'This argument goes nowhere. Add a placement, use it in the URL, or remove it.',
      );
    }
  }
  refuseSharedTargets(problems, at(pointer, 'placements'), context);
  refuseBody(problems, pointer, context);
}

function refusePlacement(
  problems: Problems,
  pointer: string,
  placement: Placement,
  { tool, properties, places }: PlacementContext,
): void {
  if (!properties.includes(placement.argument)) {
    problems.add(
      at(pointer, 'argument'),
      `The input schema has no property ${JSON.stringify(placement.argument)}.${didYouMean(placement.argument, properties)}`,
    );
  }
  if (placement.in === 'path' && !places.includes(placement.name))
    problems.add(at(pointer, 'name'), `The URL has no place {${placement.name}}.${didYouMean(placement.name, places)}`);
  if (placement.in === 'header') refuseHeader(problems, at(pointer, 'name'), placement.name);
  if (placement.in === 'cookie' && !COOKIE_NAME.test(placement.name))
    problems.add(at(pointer, 'name'), 'This is no name of a cookie.');
  if (placement.in === 'query' && placement.name === '')
    problems.add(at(pointer, 'name'), 'A query parameter needs a name.');
  refuseForm(problems, pointer, placement, tool.bodyType);
}

/** How an argument is written must be a way that its place has. */
function refuseForm(
  problems: Problems,
  pointer: string,
  { in: place, style, part }: Placement,
  bodyType: HttpToolSource['bodyType'],
): void {
  if (style !== undefined && place !== 'query' && !(place === 'body' && bodyType === 'form'))
    problems.add(at(pointer, 'style'), 'Only query parameters and fields of a form have a style.');
  if (part !== undefined && !(place === 'body' && bodyType === 'multipart'))
    problems.add(at(pointer, 'part'), 'Only arguments in the body are parts, and only with the bodyType "multipart".');
}

function refuseSharedTargets(
  problems: Problems,
  pointer: string,
  { tool, placements, credentials }: PlacementContext,
): void {
  const taken = new Set((tool.credentials ?? []).flatMap((id) => targetOf(credentials.get(id))));
  for (const header of Object.keys(tool.headers ?? {})) taken.add(`header ${header.toLowerCase()}`);
  const cookies = placements.some((placement) => placement.in === 'cookie');
  if (cookies && taken.has('header cookie'))
    problems.add(pointer, 'A credential is the whole Cookie header, so that no argument can be a cookie.');
  for (const placement of placements) {
    const [target = ''] = targetOf(placement);
    if (taken.has(target))
      problems.add(
        pointer,
        `The ${target} is filled twice. Each place takes one argument, one fixed header or one credential.`,
      );
    taken.add(target);
  }
}

function targetOf(place: { readonly in: string; readonly name: string } | undefined): string[] {
  return place === undefined ? [] : [`${place.in} ${place.in === 'header' ? place.name.toLowerCase() : place.name}`];
}

function refuseBody(problems: Problems, pointer: string, { tool, placements }: PlacementContext): void {
  const body = placements.filter((placement) => placement.in === 'body');
  const whole = body.filter((placement) => placement.name === '').length;
  const pointerOf = at(pointer, tool.bodyType === undefined ? 'placements' : 'bodyType');
  if (body.length > 0 && (tool.method === 'GET' || tool.method === 'HEAD'))
    problems.add(pointerOf, `${tool.method} sends no body. Place these arguments in the query.`);
  if (body.length === 0 && tool.bodyType !== undefined)
    problems.add(pointerOf, 'No argument goes into the body. Remove bodyType or add placements with "in": "body".');
  if (whole > 0 && body.length > 1)
    problems.add(pointerOf, 'One argument is the whole body ("name": ""), so no other may go there.');
  if (tool.bodyType === 'text' && (body.length !== 1 || whole !== 1))
    problems.add(pointerOf, 'A text body is one argument, placed with "in": "body" and "name": "".');
  if ((tool.bodyType === 'form' || tool.bodyType === 'multipart') && whole > 0)
    problems.add(pointerOf, 'A form has named fields. Give each placement a name.');
}
