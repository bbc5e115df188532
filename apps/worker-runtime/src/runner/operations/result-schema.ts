import { at } from '../build-checks/problems.js';
import { objectOr, own, type Place } from '../openapi-document/node.js';
import type { OperationContext } from './operation-context.js';
import { SchemaConversion, SchemaTooLarge } from './schema.js';
import { OperationSkipped } from './skipped.js';

/** Largest schema of a result: every agent pays for it in every list. */
const OUTPUT_BYTES_MAX = 8 * 1024;
const JSON_TYPE = /^(?:application\/json|[\w.+-]+\/[\w.+-]+\+json)\s*(?:;|$)/i;

/** The schema of an operation's result: only where it has exactly one success, which is a JSON object of modest size. */
export function resultSchema(context: OperationContext): Record<string, unknown> | undefined {
  const place = findResult(context);
  if (place === undefined) return undefined;
  for (const expansion of ['inlined', 'kept'] as const) {
    const { version, references, problems } = context;
    const conversion = new SchemaConversion({
      version,
      references,
      problems,
      use: 'output',
      expansion,
      bytesMax: OUTPUT_BYTES_MAX,
    });
    try {
      const schema = conversion.convertWhole(place);
      if (typeof schema === 'boolean' || schema['type'] !== 'object') return undefined;
      const definitions = conversion.definitions();
      const whole = Object.keys(definitions).length === 0 ? schema : { ...schema, $defs: definitions };
      return Buffer.byteLength(JSON.stringify(whole)) <= OUTPUT_BYTES_MAX ? whole : undefined;
    } catch (error) {
      if (error instanceof OperationSkipped) return undefined; // the tool works without
      if (!(error instanceof SchemaTooLarge)) throw error;
    }
  }
  return undefined;
}

function findResult({ operation, references }: OperationContext): Place | undefined {
  const responses = Object.entries(objectOr(own(operation.node, 'responses'))).filter(([status]) =>
    /^2(?:\d\d|XX)$/i.test(status),
  );
  const [only] = responses;
  if (only === undefined || responses.length !== 1) return undefined;
  const [status, value] = only;
  const response = references.follow({ value, pointer: at(operation.pointer, 'responses', status) });
  if (response === undefined) return undefined;
  const content = objectOr(own(response.value, 'content'));
  const types = Object.keys(content);
  const [type] = types;
  if (type === undefined || types.length !== 1 || !JSON_TYPE.test(type)) return undefined;
  const schema = own(objectOr(own(content, type)), 'schema');
  return schema === undefined ? undefined : { value: schema, pointer: at(response.pointer, 'content', type, 'schema') };
}
