import { isObject, listOr, objectOr, own, type JsonObject } from './node.js';

const REFERENCE = '#/definitions/Reference';
/** Properties by which a value says which of several forms it has. */
const DISCRIMINATORS = ['in', 'type'];

/**
 * The published schema of OpenAPI 3.0 (JSON Schema draft 4) as 2020-12, with its alternatives decided by what a value
 * says of itself: by `$ref`, `in` or `type`. It allows the same documents, but names faults where they are instead of
 * those of every alternative.
 */
export function preciseSchema(schema: unknown): JsonObject {
  const definitions = objectOr(own(objectOr(schema), 'definitions'));
  return objectOr(precise(schema, definitions));
}

function precise(node: unknown, definitions: JsonObject): unknown {
  if (Array.isArray(node)) return node.map((item) => precise(item, definitions));
  if (!isObject(node)) return node;
  const { oneOf, $schema: _, id, ...rest } = node;
  const kept = Object.fromEntries(
    Object.entries(rest).map(([keyword, child]) => [keyword, precise(child, definitions)]),
  );
  if (typeof id === 'object') kept['id'] = precise(id, definitions); // a property called id, not the schema's own
  if (kept['exclusiveMinimum'] === true) Object.assign(kept, { exclusiveMinimum: kept['minimum'] });
  if (!Array.isArray(oneOf)) return oneOf === undefined ? kept : { ...kept, oneOf: precise(oneOf, definitions) };
  const decided = byReference(oneOf) ?? byDiscriminator(oneOf, definitions);
  return decided === undefined
    ? { ...kept, oneOf: precise(oneOf, definitions) }
    : { ...kept, allOf: [...listOr(kept['allOf']), ...decided] };
}

/** Alternatives of which one is a reference: whatever has a `$ref` is that one, and looked at with all others. */
function byReference(alternatives: readonly unknown[]): unknown[] | undefined {
  const others = alternatives.filter((one) => own(objectOr(one), '$ref') !== REFERENCE);
  const flag = others.find((one) => own(objectOr(one), 'type') === 'boolean');
  const form = others.find((one) => one !== flag);
  if (others.length === alternatives.length || form === undefined) return undefined;
  const whenObject = { if: { type: 'object', required: ['$ref'] }, else: form };
  return [flag === undefined ? whenObject : { if: flag, else: whenObject }];
}

/** Alternatives that each fix the values of the same property. */
function byDiscriminator(alternatives: readonly unknown[], definitions: JsonObject): unknown[] | undefined {
  for (const name of DISCRIMINATORS) {
    const forms = alternatives.map((form) => ({ form, values: fixedValues(form, name, definitions) }));
    if (forms.some(({ values }) => values.length === 0)) continue;
    const all = forms.flatMap(({ values }) => values);
    return [
      { required: [name], properties: { [name]: { enum: all } } },
      ...forms.map(({ form, values }) => ({
        if: { not: { required: [name], properties: { [name]: { enum: values } } } },
        else: form,
      })),
    ];
  }
  return undefined;
}

function fixedValues(form: unknown, name: string, definitions: JsonObject): readonly unknown[] {
  const reference = own(objectOr(form), '$ref');
  const definition = typeof reference === 'string' ? own(definitions, reference.replace('#/definitions/', '')) : form;
  return listOr(own(objectOr(own(objectOr(own(objectOr(definition), 'properties')), name)), 'enum'));
}
