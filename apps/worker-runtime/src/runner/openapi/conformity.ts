import { validate } from '@readme/openapi-parser';
import { at, type Problems } from '../build/problems.js';
import { isObject, type JsonObject } from './node.js';

/** A prefix that makes every reference external, which the library leaves alone because external ones are switched off. */
const SHIELD = 'kept:';
const LINE_MARKER = /^> *(\d+) \|/m;

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
 * is looked at once however often it is used, and nothing is read or fetched.
 */
export async function refuseMalformed(problems: Problems, root: JsonObject): Promise<void> {
  const shielded = shieldReferences(root);
  try {
    const result = await validate(shielded as Parameters<typeof validate>[0], {
      resolve: { external: false },
      validate: { errors: { colorize: false }, rules: { openapi: LENIENT } },
    }); // the library's type is a valid document, which is what it is asked about
    if (result.valid) return;
    const text = result.errors.some((error) => LINE_MARKER.test(error.message)) ? lineTokens(shielded) : [];
    for (const { message } of result.errors) {
      const line = LINE_MARKER.exec(message)?.[1];
      const pointer = line === undefined ? '' : at('', ...(text[Number(line) - 1] ?? []));
      if (pointer === '' ? !problems.any : !problems.covers(pointer)) problems.add(pointer, firstLine(message));
    }
    if (result.additionalErrors > 0) problems.add('', `and ${result.additionalErrors} more places like these.`);
  } catch (error) {
    if (!problems.any)
      problems.add(
        '',
        `The document cannot be validated: ${error instanceof Error ? firstLine(error.message) : 'it is malformed'}`,
      );
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

/** The tokens of what stands on each line of a value printed with one property a line, as the library's messages count. */
function lineTokens(root: unknown): string[][] {
  const lines: string[][] = [[]];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (typeof node !== 'object' || node === null) return;
    const entries = Object.entries(node).filter(([, child]) => child !== undefined);
    for (const [name, child] of entries) {
      const tokens = [...path, name];
      lines.push(tokens);
      visit(child, tokens);
    }
    if (entries.length > 0) lines.push([...path]);
  };
  visit(root, []);
  return lines;
}

function firstLine(message: string): string {
  return `${message.split('\n', 1)[0]?.trim().replaceAll(SHIELD, '') ?? ''}.`.replace(/\.+$/, '.');
}
