import type { Placement } from '#libs/protocol';
import { at } from '../build-checks/problems.js';
import { COOKIE_NAME, isCredentialHeader, isTransportHeader } from '../build-checks/url-template.js';
import { shownText } from '../build-checks/text-safety.js';
import { listOr, objectOr, own, textOf, type JsonObject, type Place } from '../openapi-document/node.js';
import type { ArgumentDraft } from './arguments.js';
import type { OperationContext } from './operation-context.js';
import { allows, queryStyle } from './query-style.js';
import type { Schema, SchemaConversion } from './schema.js';
import { OperationSkipped } from './skipped.js';

/** A parameter whose form has been checked. */
interface Parameter extends Place<JsonObject> {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required: boolean;
}

const DESCRIPTION_CHARACTERS_MAX = 1_000;
/** Headers that OpenAPI says a parameter must not define (3.1, "Parameter Object", name). */
const IGNORED_HEADERS = /^(?:accept|content-type|authorization)$/i;

/** The arguments that an operation's parameters become. @throws OperationSkipped when a required one cannot be sent */
export function parameterArguments(context: OperationContext, conversion: SchemaConversion): ArgumentDraft[] {
  const parameters = readParameters(context);
  refuseUndeclared(context, parameters);
  return parameters.flatMap((parameter) => {
    const draft = draftOf(context, parameter, conversion);
    if (typeof draft !== 'string') return [draft];
    if (parameter.required) throw new OperationSkipped(parameter.pointer, draft);
    context.skip(parameter.pointer, draft);
    return [];
  });
}

/** Parameters of the path item and the operation; the operation's replace those of the same place and name. */
function readParameters(context: OperationContext): Parameter[] {
  const { node, pointer, shared } = context.operation;
  const all = [
    ...listOr(own(shared.value, 'parameters')).map((value, index) => ({
      value,
      pointer: at(shared.pointer, 'parameters', index),
    })),
    ...listOr(own(node, 'parameters')).map((value, index) => ({ value, pointer: at(pointer, 'parameters', index) })),
  ];
  const byTarget = new Map<string, Parameter>();
  for (const place of all) {
    const parameter = readParameter(context, place);
    if (parameter !== undefined) byTarget.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  return [...byTarget.values()].sort((left, right) => ORDER.indexOf(left.in) - ORDER.indexOf(right.in));
}

const ORDER: ReadonlyArray<Parameter['in']> = ['path', 'query', 'header', 'cookie'];

function readParameter(context: OperationContext, place: Place): Parameter | undefined {
  const target = context.references.follow(place);
  if (target === undefined) return undefined; // its reference is noted already
  const { value } = target;
  const name = textOf(own(value, 'name'));
  const kind = own(value, 'in');
  const required = own(value, 'required') === true;
  if (name === undefined) return undefined; // noted when the operations were listed
  if (kind === 'path') return { ...target, name, in: kind, required: true };
  if (kind === 'query') return { ...target, name, in: kind, required };
  if (kind === 'header') return readHeader(context, { ...target, name, in: kind, required });
  if (kind === 'cookie') return readCookie(context, { ...target, name, in: kind, required });
  return undefined;
}

/** A cookie that can be an argument: its name can stand in a request. */
function readCookie(context: OperationContext, parameter: Parameter): Parameter | undefined {
  const { name, pointer, required } = parameter;
  if (COOKIE_NAME.test(name)) return parameter;
  const reason = `The cookie ${JSON.stringify(name)} cannot be an argument: this is no name of a cookie.`;
  if (required) throw new OperationSkipped(pointer, reason);
  context.skip(pointer, reason);
  return undefined;
}

function readHeader(context: OperationContext, parameter: Parameter): Parameter | undefined {
  const { name, pointer, required } = parameter;
  if (IGNORED_HEADERS.test(name)) return undefined;
  if (!isCredentialHeader(name) && !isTransportHeader(name) && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(name))
    return parameter;
  const reason = `The header ${JSON.stringify(name)} cannot be an argument: it belongs to the transport, carries credentials or is no header name.`;
  if (required) throw new OperationSkipped(pointer, reason);
  context.skip(pointer, reason);
  return undefined;
}

/** Every place in the path needs a parameter: without it the URL cannot be made. */
function refuseUndeclared({ operation, problems }: OperationContext, parameters: readonly Parameter[]): void {
  const declared = new Set(
    parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name),
  );
  for (const [, place = ''] of operation.path.matchAll(/\{([^{}]*)\}/g)) {
    if (!declared.has(place))
      problems.add(
        operation.pointer,
        `The path has {${place}}, but no path parameter ${JSON.stringify(place)} is declared.`,
      );
  }
}

/** The argument of a parameter, or why it cannot be sent. */
function draftOf(
  context: OperationContext,
  parameter: Parameter,
  conversion: SchemaConversion,
): ArgumentDraft | string {
  const { value, pointer, name, in: place, required } = parameter;
  const shown = `The ${place} parameter ${JSON.stringify(name)}`;
  const content = Object.entries(objectOr(own(value, 'content')))[0];
  if (content !== undefined) return serializedDraft(context, parameter, content, conversion);
  const schema = conversion.convertWhole({ value: own(value, 'schema') ?? {}, pointer: at(pointer, 'schema') });
  const style = styleOf(value, place, schema);
  if (style === undefined) return `${shown} has a structure and style that tools cannot send.`;
  const placement = { in: place, name, ...(style === 'plain' ? {} : { style }) };
  return { schema: described(context, parameter, schema), required, placement };
}

/** The argument of a parameter that is serialized by media type: JSON in the query. */
function serializedDraft(
  context: OperationContext,
  parameter: Parameter,
  [type, media]: readonly [string, unknown],
  conversion: SchemaConversion,
): ArgumentDraft | string {
  const { pointer, name, in: place, required } = parameter;
  if (place !== 'query' || !/^application\/(?:[\w.+-]+\+)?json(?:;|$)/i.test(type))
    return `The ${place} parameter ${JSON.stringify(name)} is serialized as ${JSON.stringify(type)}; tools send JSON, in the query.`;
  const found = { value: own(objectOr(media), 'schema') ?? {}, pointer: at(pointer, 'content', type, 'schema') };
  const schema = described(context, parameter, conversion.convertWhole(found));
  return { schema, required, placement: { in: place, name, style: 'json' } };
}

/** How lists and objects stand there (OpenAPI, "Style Values"); undefined where the platform has no such form. */
function styleOf(parameter: JsonObject, place: Parameter['in'], schema: Schema): Placement['style'] | 'plain' {
  const style = textOf(own(parameter, 'style')) ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple');
  const explode = own(parameter, 'explode') ?? style === 'form';
  // A list in a cookie has a form that no server is sure to read.
  if (place === 'cookie') return allows(schema, 'object') || allows(schema, 'array') ? undefined : 'plain';
  if (place !== 'query') return style === 'simple' && !allows(schema, 'object') ? 'plain' : undefined;
  return queryStyle(style, explode === true, schema);
}

function described({ problems }: OperationContext, { value, pointer }: Place<JsonObject>, schema: Schema): Schema {
  const text = shownText(problems, at(pointer, 'description'), own(value, 'description'), DESCRIPTION_CHARACTERS_MAX);
  return text === '' || typeof schema === 'boolean' ? schema : { ...schema, description: text };
}
