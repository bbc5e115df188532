import { at, type Problems } from '../build-checks/problems.js';
import type { ReportNotes } from '../build-checks/report.js';
import { isObject, listOr, objectOr, own, textOf, type JsonObject, type Place } from './node.js';
import type { References } from './references.js';

/** The methods a tool can send; a document's other methods are left out. */
const METHODS = new Map([
  ['get', 'GET'],
  ['head', 'HEAD'],
  ['post', 'POST'],
  ['put', 'PUT'],
  ['patch', 'PATCH'],
  ['delete', 'DELETE'],
] as const);
const PLACES = new Set(['path', 'query', 'header', 'cookie']);
const OTHER_METHODS = new Set(['options', 'trace', 'query']);

/** A method that a tool can send. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of a document, with what its path says for all of them. */
export interface Operation {
  readonly method: Method;
  readonly path: string;
  /** `GET /pets/{id}`: what it is called in reports, and what its name is made unique by. */
  readonly label: string;
  readonly pointer: string;
  readonly node: JsonObject;
  readonly operationId: string | undefined;
  readonly tags: readonly string[];
  /** Parameters and servers of the path item. */
  readonly shared: Place<JsonObject>;
}

/** Every operation of a document that a tool could send, in document order; wrong forms are noted. */
export function listOperations(
  problems: Problems,
  notes: ReportNotes,
  root: JsonObject,
  references: References,
): Operation[] {
  const paths = own(root, 'paths');
  if (paths === undefined) problems.add('/paths', '"paths" is missing: there are no operations to make tools of.');
  else if (!isObject(paths)) problems.add('/paths', '"paths" must be an object of paths.');
  return Object.entries(objectOr(paths)).flatMap(([path, item]) => {
    if (path.startsWith('x-')) return [];
    const pointer = at('/paths', path);
    if (!path.startsWith('/')) problems.add(pointer, 'A path must begin with "/".');
    const shared = references.follow({ value: item, pointer });
    if (shared !== undefined) return operationsOf(problems, notes, references, { path, shared });
    if (!isObject(item)) problems.add(pointer, 'A path item must be an object.');
    return [];
  });
}

function operationsOf(
  problems: Problems,
  notes: ReportNotes,
  references: References,
  { path, shared }: { readonly path: string; readonly shared: Place<JsonObject> },
): Operation[] {
  const parameters = { value: own(shared.value, 'parameters'), pointer: at(shared.pointer, 'parameters') };
  refuseParameters(problems, references, parameters);
  const found: Operation[] = [];
  for (const [key, node] of Object.entries(shared.value)) {
    const pointer = at(shared.pointer, key);
    const method = isMethod(key) ? METHODS.get(key) : undefined;
    const label = `${key.toUpperCase()} ${path}`;
    if (OTHER_METHODS.has(key)) notes.skip(pointer, label, `Tools do not send ${key.toUpperCase()}.`);
    if (method === undefined) continue;
    if (!isObject(node)) {
      problems.add(pointer, 'An operation must be an object.');
      continue;
    }
    const operationId = textOf(own(node, 'operationId'));
    const tags = listOr(own(node, 'tags')).filter((tag) => typeof tag === 'string');
    refuseParameters(problems, references, { value: own(node, 'parameters'), pointer: at(pointer, 'parameters') });
    found.push({ method, path, label, pointer, node, operationId, tags, shared });
  }
  return found;
}

/** Notes parameters that do not say what they are called or where they stand. */
function refuseParameters(problems: Problems, references: References, { value, pointer }: Place): void {
  if (value !== undefined && !Array.isArray(value)) problems.add(pointer, 'Parameters must be a list.');
  for (const [index, item] of listOr(value).entries()) {
    const place = { value: item, pointer: at(pointer, index) };
    const parameter = references.follow(place);
    if (parameter === undefined) {
      if (!isObject(item)) problems.add(place.pointer, 'A parameter must be an object.');
      continue;
    }
    if (!textOf(own(parameter.value, 'name'))) problems.add(at(parameter.pointer, 'name'), 'A parameter needs a name.');
    if (!PLACES.has(String(own(parameter.value, 'in')))) {
      problems.add(at(parameter.pointer, 'in'), 'A parameter must be in "path", "query", "header" or "cookie".');
    }
  }
}

function isMethod(key: string): key is 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete' {
  return (METHODS as ReadonlyMap<string, string>).has(key); // asks with any text whether it is a key
}
