import type { HttpBinding, Placement } from '#libs/protocol';
import { isObject, objectOr, own, textOf, type JsonObject, type Place } from '../openapi-document/node.js';
import type { ArgumentDraft } from './arguments.js';
import { queryStyle } from './query-style.js';
import type { Schema } from './schema.js';

/** The content of a request body that is sent, and how the document wants its fields. */
export interface FoundBody {
  readonly bodyType: NonNullable<HttpBinding['bodyType']>;
  readonly schema: Place;
  readonly encoding: JsonObject;
}

const MEDIA_TYPE = /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/;
const DESCRIPTION = 'A file.';
/** What an agent gives for a file. */
const FILE = {
  type: 'object',
  properties: {
    data: { type: 'string', contentEncoding: 'base64', description: 'Its content as base64.' },
    filename: { type: 'string', maxLength: 255 },
    mimeType: { type: 'string', maxLength: 129 },
  },
  required: ['data'],
  additionalProperties: false,
};

/** The arguments of a body's fields: in a form with their styles, in a multipart body with their types, files as files. */
export function fieldDrafts(drafts: readonly ArgumentDraft[], { bodyType, encoding }: FoundBody): ArgumentDraft[] {
  if (bodyType === 'json' || bodyType === 'text') return [...drafts];
  return drafts.map((draft) => {
    const settings = objectOr(own(encoding, draft.placement.name));
    return bodyType === 'form' ? formField(draft, settings) : multipartField(draft, settings);
  });
}

/** A field without a style of its own is text, repeated or JSON (OpenAPI 3.1, "Encoding Object"). */
function formField(draft: ArgumentDraft, settings: JsonObject): ArgumentDraft {
  const given = textOf(own(settings, 'style'));
  const explode = own(settings, 'explode');
  if (given === undefined && explode === undefined) return draft;
  const name = given ?? 'form';
  const style = queryStyle(name, (explode ?? name === 'form') === true, draft.schema);
  return style === undefined || style === 'plain' ? draft : { ...draft, placement: { ...draft.placement, style } };
}

function multipartField(draft: ArgumentDraft, settings: JsonObject): ArgumentDraft {
  const { schema } = draft;
  const [first = ''] = (textOf(own(settings, 'contentType')) ?? '').split(',');
  const type = MEDIA_TYPE.test(first.trim()) ? { type: first.trim() } : {};
  const items = isObject(schema) && schema['type'] === 'array' ? objectOr(schema['items']) : undefined;
  if (isBinary(schema) || (items !== undefined && isBinary(items))) {
    const part: Placement['part'] = { ...type, file: true };
    const described = isBinary(schema) ? fileSchema(schema) : { ...objectOr(schema), items: fileSchema(items) };
    return { ...draft, schema: described, placement: { ...draft.placement, part } };
  }
  return 'type' in type ? { ...draft, placement: { ...draft.placement, part: type } } : draft;
}

function fileSchema(schema: unknown): Schema {
  return { ...FILE, description: textOf(own(objectOr(schema), 'description')) ?? DESCRIPTION };
}

/** Whether a schema is that of bytes: `format: binary` in 3.0, in 3.1 a media type without an encoding. */
function isBinary(schema: Schema): boolean {
  if (typeof schema === 'boolean') return false;
  const { format, contentMediaType, contentEncoding, type = 'string' } = schema;
  if (type !== 'string') return false;
  return format === 'binary' || (contentMediaType !== undefined && contentEncoding === undefined);
}
