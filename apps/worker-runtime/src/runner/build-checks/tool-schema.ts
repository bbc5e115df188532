import { Ajv2020 } from 'ajv/dist/2020.js';
import { scanParameterHeaders } from '../tools/parameter-headers.js';
import { PATTERN_PLACES_MAX, placesOf } from '../schemas/bounded-pattern.js';
import { compileSchema } from '../schemas/schema-engine.js';
import { refuseOutOfBounds } from './bounds.js';
import { at, type Problems } from './problems.js';

type JsonSchema = Readonly<Record<string, unknown>>;

const BOUNDS = { depthMax: 64, nodesMax: 20_000 };
const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;
const REFERENCES = new Set(['$ref', '$dynamicRef']);
const ERRORS_MAX = 20;
const metaSchema = new Ajv2020({ strict: false, logger: false, allErrors: true });

/** Notes everything wrong with a tool's schema: size, dialect, references, form, and (for input) mirrored arguments. */
export function refuseBadSchema(
  problems: Problems,
  pointer: string,
  schema: JsonSchema,
  use: 'input' | 'output',
): void {
  const before = problems.any;
  if (!refuseOutOfBounds(problems, pointer, schema, BOUNDS)) return;
  if (schema['type'] !== 'object')
    problems.add(at(pointer, 'type'), 'The schema of a tool must have "type": "object" at its top level.');
  const dialect = schema['$schema'];
  if (dialect !== undefined && (typeof dialect !== 'string' || !DIALECT.test(dialect))) {
    problems.add(
      at(pointer, '$schema'),
      'This dialect is not supported. Use JSON Schema 2020-12, or leave $schema out.',
    );
    return;
  }
  const sound = refuseReferences(problems, pointer, schema);
  if (!metaSchema.validateSchema(withoutDialect(schema))) {
    for (const error of (metaSchema.errors ?? []).slice(0, ERRORS_MAX))
      problems.add(`${pointer}${error.instancePath}`, `${error.message ?? 'is not valid'} (JSON Schema 2020-12).`);
  } else if (sound) {
    refuseUncompilable(problems, pointer, schema);
    refuseLargePatterns(problems, pointer, schema);
  }
  if (use === 'input' || before) {
    for (const fault of scanParameterHeaders(schema).faults) problems.add(`${pointer}${fault.pointer}`, fault.message);
  }
}

/** References must stay inside the schema: nothing is ever fetched (MCP 2026-07-28, tools, "Security"). */
function refuseReferences(problems: Problems, pointer: string, node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return true;
  let sound = true;
  for (const [keyword, child] of Object.entries(node)) {
    const place = at(pointer, keyword);
    if (REFERENCES.has(keyword) && typeof child === 'string' && !child.startsWith('#')) {
      problems.add(
        place,
        `The reference ${JSON.stringify(child.slice(0, 100))} leads outside the schema, and nothing is fetched. Put the definition under $defs and refer to #/$defs/….`,
      );
      sound = false;
    } else if (!refuseReferences(problems, place, child)) sound = false;
  }
  return sound;
}

function refuseUncompilable(problems: Problems, pointer: string, schema: JsonSchema): void {
  try {
    compileSchema(schema, { formats: 'checked' });
  } catch (error) {
    problems.add(
      pointer,
      `The schema cannot be used: ${error instanceof Error ? error.message : 'it does not compile'}.`,
    );
  }
}

/** A pattern of very many places could not be held against more than a few lines of text. */
function refuseLargePatterns(problems: Problems, pointer: string, node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [keyword, child] of Object.entries(node)) {
    const place = at(pointer, keyword);
    if (keyword === 'pattern' && typeof child === 'string') refuseLarge(problems, place, child);
    if (keyword === 'patternProperties' && typeof child === 'object' && child !== null)
      for (const pattern of Object.keys(child)) refuseLarge(problems, at(place, pattern), pattern);
    refuseLargePatterns(problems, place, child);
  }
}

function refuseLarge(problems: Problems, place: string, pattern: string): void {
  const places = placesIn(pattern);
  if (places > PATTERN_PLACES_MAX)
    problems.add(
      place,
      `This pattern has ${places} places, and ${PATTERN_PLACES_MAX} are the most. Make its repetitions ({n,m}) smaller, or use maxLength.`,
    );
}

/** None where it is no pattern at all, which is told of apart, or no schema's. */
function placesIn(pattern: string): number {
  try {
    return placesOf(pattern);
  } catch {
    return 0;
  }
}

function withoutDialect({ $schema: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
