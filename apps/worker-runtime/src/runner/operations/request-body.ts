import type { HttpBinding } from '#libs/protocol';
import { at } from '../build-checks/problems.js';
import { isObject, listOr, objectOr, own, type JsonObject, type Place } from '../openapi-document/node.js';
import type { ArgumentDraft } from './arguments.js';
import { fieldDrafts, type FoundBody } from './form-fields.js';
import type { OperationContext } from './operation-context.js';
import type { Schema, SchemaConversion } from './schema.js';
import { OperationSkipped } from './skipped.js';

/** The arguments that go into the body, and how it is written. */
export interface BodyArguments {
  readonly drafts: readonly ArgumentDraft[];
  readonly bodyType: HttpBinding['bodyType'];
}

const NO_BODY: BodyArguments = { drafts: [], bodyType: undefined };
const KINDS: ReadonlyArray<{ readonly bodyType: NonNullable<HttpBinding['bodyType']>; readonly pattern: RegExp }> = [
  { bodyType: 'json', pattern: /^(?:application\/json|[\w.+-]+\/[\w.+-]+\+json|\*\/\*|application\/\*)$/ },
  { bodyType: 'form', pattern: /^application\/x-www-form-urlencoded$/ },
  { bodyType: 'multipart', pattern: /^multipart\/form-data$/ },
  { bodyType: 'text', pattern: /^text\/[\w.*+-]+$/ },
];
/** Keywords beside `properties` that do not stand in the way of giving each property an argument of its own. */
const FLAT_KEYWORDS = new Set([
  'type',
  'properties',
  'required',
  'title',
  'description',
  'examples',
  'default',
  'deprecated',
  'additionalProperties',
  'minProperties',
]);

/** The arguments that an operation's request body becomes. @throws OperationSkipped when a required body cannot be sent */
export function bodyArguments(context: OperationContext, conversion: SchemaConversion): BodyArguments {
  const { node, pointer, method } = context.operation;
  const body = own(node, 'requestBody');
  const target =
    body === undefined ? undefined : context.references.follow({ value: body, pointer: at(pointer, 'requestBody') });
  if (target === undefined) return NO_BODY;
  const required = own(target.value, 'required') === true;
  const found = method === 'GET' || method === 'HEAD' ? undefined : findContent(target);
  if (found === undefined) return withoutBody(context, target, required);
  const schema = conversion.convertWhole(found.schema);
  if (found.bodyType === 'text') return { drafts: [wholeBody(textSchema(schema), required)], bodyType: 'text' };
  const flat = flatProperties(schema);
  if (flat !== undefined)
    return { drafts: fieldDrafts(propertyDrafts(flat, required), found), bodyType: found.bodyType };
  if (found.bodyType !== 'json') throw new OperationSkipped(found.schema.pointer, 'Its form has no fixed fields.');
  return { drafts: [wholeBody(schema, required)], bodyType: 'json' };
}

function findContent({ value, pointer }: Place<JsonObject>): FoundBody | undefined {
  const content = objectOr(own(value, 'content'));
  for (const { bodyType, pattern } of KINDS) {
    const type = Object.keys(content).find((name) => pattern.test(name.split(';', 1)[0]?.trim().toLowerCase() ?? ''));
    if (type === undefined) continue;
    const place = at(pointer, 'content', type, 'schema');
    const media = objectOr(own(content, type));
    const schema = { value: own(media, 'schema') ?? {}, pointer: place };
    return { bodyType, schema, encoding: objectOr(own(media, 'encoding')) };
  }
  return undefined;
}

function withoutBody(
  { operation, skip }: OperationContext,
  { value, pointer }: Place<JsonObject>,
  required: boolean,
): BodyArguments {
  const types =
    Object.keys(objectOr(own(value, 'content')))
      .slice(0, 4)
      .join(', ') || 'no media type';
  const reason =
    operation.method === 'GET' || operation.method === 'HEAD'
      ? `${operation.method} sends no body.`
      : `Its body is ${types}; tools send JSON, forms, multipart forms and text.`;
  if (required) throw new OperationSkipped(pointer, reason);
  skip(pointer, `The body is left out. ${reason}`);
  return NO_BODY;
}

interface FlatBody {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: ReadonlySet<unknown>;
}

/** The properties of a body whose only structure they are; an alternative of required sets is left to the upstream. */
function flatProperties(schema: Schema): FlatBody | undefined {
  if (typeof schema === 'boolean') return undefined;
  const properties = schema['properties'];
  if (!isObject(properties) || Object.keys(properties).length === 0) return undefined;
  const extra = schema['additionalProperties'];
  if (isObject(extra) && Object.keys(extra).length > 0) return undefined;
  const structural = Object.keys(schema).filter((keyword) => !FLAT_KEYWORDS.has(keyword));
  if (structural.some((keyword) => !isRequiredSets(keyword, schema[keyword]))) return undefined;
  return { properties, required: new Set(listOr(schema['required'])) };
}

function isRequiredSets(keyword: string, value: unknown): boolean {
  if (keyword !== 'anyOf' && keyword !== 'oneOf') return false;
  return listOr(value).every((branch) => isObject(branch) && Object.keys(branch).every((name) => name === 'required'));
}

function propertyDrafts({ properties, required }: FlatBody, bodyRequired: boolean): ArgumentDraft[] {
  return Object.entries(properties).map(([name, schema]) => ({
    schema: isObject(schema) ? { ...schema } : {},
    required: bodyRequired && required.has(name),
    placement: { in: 'body', name },
  }));
}

function wholeBody(schema: Schema, required: boolean): ArgumentDraft {
  return { schema: schema === true ? {} : schema, required, placement: { in: 'body', name: '' } };
}

function textSchema(schema: Schema): Schema {
  return isObject(schema) && schema['type'] === 'string' ? schema : { type: 'string' };
}
