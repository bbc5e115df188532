import type { ErrorObject } from 'ajv';
import { CHECK_STEPS_MAX, type CheckedText, type CheckLimit } from '../schemas/check-budget.js';
import { didYouMean } from './closest.js';

type JsonSchema = Readonly<Record<string, unknown>>;

const PROBLEMS_MAX = 20;
const NAMES_MAX = 100;
const VALUES_MAX = 30;

/** Says what is wrong with some arguments, line by line, what was expected and which arguments there are. */
export function explainErrors(toolName: string, schema: JsonSchema, errors: readonly ErrorObject[]): string {
  const lines = [
    ...new Set(errors.filter((error) => !isEcho(error, errors)).map((error) => `- ${explainError(error, schema)}`)),
  ];
  const shown = lines.slice(0, PROBLEMS_MAX);
  if (lines.length > shown.length) shown.push(`- and ${lines.length - shown.length} more problems`);
  return [
    `The arguments of ${toolName} are not valid, so nothing was sent. Correct them and call again:`,
    ...shown,
    describeArguments(schema),
  ].join('\n');
}

/** Says which argument takes too much to be checked, and how much may be checked. */
export function explainLimit(toolName: string, given: unknown, { checked }: CheckLimit): string {
  const place = checked.kind === 'uniqueItems' ? checked.place : placeOf(given, checked.text);
  return (
    `The arguments of ${toolName} cannot be checked, so nothing was sent. Correct them and call again:\n` +
    `- ${place || 'arguments'}: ${tooMuch(checked)}`
  );
}

function tooMuch(checked: CheckedText): string {
  if (checked.kind === 'uniqueItems') return 'is too large to look for what it holds twice. Send a shorter list.';
  const { text } = checked;
  if (checked.kind === 'format')
    return `${text.length} characters are too many to be held against the format ${quote(checked.format)}. Send a shorter text.`;
  const { places, pattern } = checked;
  return (
    `${text.length} characters take too many steps with the pattern ${quote(pattern)}, which has ${places} places: all ` +
    `checks of a call together may take ${CHECK_STEPS_MAX} steps (characters times places), so ` +
    `${Math.floor(CHECK_STEPS_MAX / places)} characters at most here. Send a shorter text.`
  );
}

/** The JSON pointer of the first value, or the first name, that is this text. */
function placeOf(given: unknown, text: string, place = ''): string | undefined {
  if (given === text) return place;
  if (typeof given !== 'object' || given === null) return undefined;
  for (const [name, value] of Object.entries(given)) {
    if (name === text) return `${place}/${name.slice(0, 30)}…`;
    const found = placeOf(value, text, `${place}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether an error only says that another, more exact one is there. */
function isEcho(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (error.keyword !== 'if' && error.keyword !== 'propertyNames') return false;
  return errors.some((other) => other !== error && other.instancePath.startsWith(error.instancePath));
}

function explainError(error: ErrorObject, schema: JsonSchema): string {
  const { keyword, params, instancePath } = error;
  const place = instancePath === '' ? 'arguments' : instancePath;
  const unknown =
    keyword === 'additionalProperties'
      ? params['additionalProperty']
      : keyword === 'unevaluatedProperties'
        ? params['unevaluatedProperty']
        : undefined;
  if (unknown !== undefined) {
    const known = instancePath === '' ? propertiesOf(schema) : propertiesOf(error.parentSchema ?? {});
    return `${place}: unknown argument ${quote(unknown)}.${didYouMean(String(unknown), Object.keys(known))}`;
  }
  if (keyword === 'required')
    return `${place}: ${quote(params['missingProperty'])} is missing; ${describeExpected(propertiesOf(error.parentSchema ?? {})[String(params['missingProperty'])])}`;
  if (keyword === 'type') return `${place}: expected ${listed(params['type'])}, got ${kindOf(error.data)}.`;
  if (keyword === 'enum') return explainEnum(place, error);
  if (keyword === 'const') return `${place}: must be ${quote(params['allowedValue'])}.`;
  if (keyword === 'format') return `${place}: must have the format ${quote(params['format'])}.`;
  if (keyword === 'pattern') return `${place}: must match the pattern ${quote(params['pattern'])}.`;
  return `${place}: ${error.message ?? 'is not valid'}.`;
}

function explainEnum(place: string, error: ErrorObject): string {
  const allowed: unknown[] = Array.isArray(error.params['allowedValues']) ? error.params['allowedValues'] : [];
  const more = allowed.length > VALUES_MAX ? `, and ${allowed.length - VALUES_MAX} more` : '';
  const near =
    typeof error.data === 'string'
      ? didYouMean(
          error.data,
          allowed.filter((value) => typeof value === 'string'),
        )
      : '';
  return `${place}: must be one of ${allowed.slice(0, VALUES_MAX).map(quote).join(', ')}${more}.${near}`;
}

/** `Arguments: id (integer, required), name (string).` */
function describeArguments(schema: JsonSchema): string {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const entries = Object.entries(propertiesOf(schema));
  if (entries.length === 0) return 'This tool takes no named arguments.';
  const names = entries
    .slice(0, NAMES_MAX)
    .map(([name, property]) => `${name} (${typeOf(property)}${required.has(name) ? ', required' : ''})`);
  const more = entries.length > NAMES_MAX ? `, and ${entries.length - NAMES_MAX} more` : '';
  return `Arguments: ${names.join(', ')}${more}.`;
}

function describeExpected(property: unknown): string {
  return property === undefined ? 'it is required.' : `expected ${typeOf(property)}.`;
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return {};
  return typeof schema.properties === 'object' && schema.properties !== null ? { ...schema.properties } : {};
}

function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'any value';
  if ('type' in schema) return listed(schema.type);
  if ('enum' in schema && Array.isArray(schema.enum))
    return `one of ${schema.enum.slice(0, VALUES_MAX).map(quote).join(', ')}`;
  return 'any value';
}

function listed(type: unknown): string {
  return Array.isArray(type) ? type.join(' or ') : String(type);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 200);
}
