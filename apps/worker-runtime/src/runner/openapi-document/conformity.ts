import { validate } from '@readme/openapi-parser';
import type { Problems } from '../build-checks/problems.js';
import type { OpenApiDocument } from './document.js';
import { findFormFaults } from './form-faults.js';
import { isObject } from './node.js';

/** A prefix that makes every reference external, which the library leaves alone because external ones are switched off. */
const SHIELD = 'kept:';

/** Rules that this importer checks itself (with pointers) or that no tool depends on. */
const LENIENT = {
  'array-without-items': 'warning',
  'duplicate-non-request-body-parameters': 'warning',
  'duplicate-operation-id': 'warning',
  'invalid-security-scheme-properties': 'warning',
  'non-optional-path-parameters': 'warning',
  'path-parameters-not-in-parameters': 'warning',
  'path-parameters-not-in-path': 'warning',
} as const;

/**
 * Notes where a document does not have the form that OpenAPI prescribes. References stay unresolved, so that every part
 * is looked at once however often it is used, and nothing is read or fetched. The library judges the document as a
 * whole; places that are noted already are not told twice.
 */
export async function refuseMalformed(problems: Problems, document: OpenApiDocument): Promise<void> {
  const verdict = await judge(document);
  if (verdict === undefined) return;
  const known = new Set<string>();
  for (const { pointer, message } of findFormFaults(document)) {
    if (known.has(pointer) || !problems.covers(pointer)) problems.add(pointer, message);
    known.add(pointer);
  }
  if (!problems.any) problems.add('', verdict);
}

/** Why a document is no valid OpenAPI document, in the library's words; undefined when it is one. */
async function judge({ root }: OpenApiDocument): Promise<string | undefined> {
  try {
    const result = await validate(shieldReferences(root) as Parameters<typeof validate>[0], {
      resolve: { external: false },
      validate: { errors: { colorize: false }, rules: { openapi: LENIENT } },
    }); // the library's type is a valid document, which is what it is asked about
    return result.valid ? undefined : firstLine(result.errors[0]?.message ?? 'The document is not valid OpenAPI.');
  } catch (error) {
    return `The document cannot be validated: ${error instanceof Error ? firstLine(error.message) : 'it is malformed.'}`;
  }
}

/** A copy in which no reference can be followed. */
function shieldReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(shieldReferences);
  if (!isObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, child]) => [
      name,
      name === '$ref' && typeof child === 'string' ? `${SHIELD}${child}` : shieldReferences(child),
    ]),
  );
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.trim().replaceAll(SHIELD, '') ?? '';
}
