import { isScalar, parseDocument, visit, type Document } from 'yaml';
import type { ReleaseSource } from '#libs/protocol';
import { refuseOutOfBounds } from '../build-checks/bounds.js';
import type { Problems } from '../build-checks/problems.js';
import { isObject, own, type JsonObject } from './node.js';

/** An OpenAPI release source. */
export type OpenApiSource = Extract<ReleaseSource, { kind: 'openapi' }>;

/** The OpenAPI versions that can be imported; they differ in their schemas. */
export type OpenApiVersion = '3.0' | '3.1';

/** A document within bounds, of a version that can be read. */
export interface OpenApiDocument {
  readonly root: JsonObject;
  readonly version: OpenApiVersion;
}

const DOCUMENT_BOUNDS = { depthMax: 100, nodesMax: 4_000_000 };
/** Aliases that a YAML document may expand; more is what an alias bomb looks like. */
const ALIASES_MAX = 100;
const YAML_ERRORS_MAX = 20;

/** The document of a release source; undefined after noting why there is none that can be read. */
export function readDocument(
  problems: Problems,
  source: OpenApiSource,
  artefact: Uint8Array | undefined,
): OpenApiDocument | undefined {
  const given = givenDocument(problems, source, artefact);
  const root = typeof given === 'string' ? parseText(problems, given) : given;
  if (root === undefined || !refuseOutOfBounds(problems, '', root, DOCUMENT_BOUNDS)) return undefined;
  if (!isObject(root)) {
    problems.add('', 'This is not an OpenAPI document: it must be an object.');
    return undefined;
  }
  const version = readVersion(problems, root);
  return version === undefined ? undefined : { root, version };
}

function givenDocument(problems: Problems, source: OpenApiSource, artefact: Uint8Array | undefined): unknown {
  const inline = source.document;
  if ((inline === undefined) === (artefact === undefined)) {
    problems.add('/document', 'Give either "document" or "artefact": the document itself or an uploaded one.');
    return undefined;
  }
  if (artefact === undefined) return inline;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(artefact);
  } catch {
    problems.add('', 'The document is not UTF-8 text.');
    return undefined;
  }
}

function parseText(problems: Problems, text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return parseYaml(problems, text);
  try {
    return JSON.parse(text);
  } catch (error) {
    const value = parseYaml(new ProblemsIgnored(), text); // flow-style YAML also begins with a brace
    if (value === undefined) problems.add('', `The document is not valid JSON: ${messageOf(error)}`);
    return value;
  }
}

function parseYaml(problems: Pick<Problems, 'add'>, text: string): unknown {
  try {
    // The library compares every key with every other of its map; a map of a megabyte would take minutes.
    const parsed = parseDocument(text, { schema: 'core', prettyErrors: true, logLevel: 'silent', uniqueKeys: false });
    const faults = parsed.errors.length > 0 ? parsed.errors.map(messageOf) : repeatedKeys(parsed);
    for (const fault of faults.slice(0, YAML_ERRORS_MAX)) {
      problems.add('', `The document is neither JSON nor YAML: ${fault}`);
    }
    return faults.length > 0 ? undefined : parsed.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    problems.add('', `The document cannot be read as YAML: ${messageOf(error)}`);
    return undefined;
  }
}

function repeatedKeys(parsed: Document.Parsed): string[] {
  const faults: string[] = [];
  visit(parsed, {
    Map(_, { items }) {
      const keys = items.map(({ key }) => (isScalar(key) ? key.value : key));
      if (new Set(keys).size === keys.length) return undefined;
      const seen = new Set<unknown>();
      for (const key of keys) {
        if (seen.has(key)) faults.push(`Map keys must be unique, and ${String(key).slice(0, 100)} is there twice.`);
        seen.add(key);
      }
      return faults.length >= YAML_ERRORS_MAX ? visit.BREAK : undefined;
    },
  });
  return faults;
}

/** Takes problems that a second attempt at reading finds; the first attempt's are the ones to tell. */
class ProblemsIgnored {
  add(): void {}
}

function readVersion(problems: Problems, root: JsonObject): OpenApiVersion | undefined {
  const version = own(root, 'openapi');
  const found = typeof version === 'string' ? /^(3\.[01])(?:\.\d+)?(?:-|$)/.exec(version)?.[1] : undefined;
  if (found === '3.0' || found === '3.1') return found;
  if (own(root, 'swagger') !== undefined) {
    problems.add('/swagger', 'Swagger 2.0 is not supported. Convert the document to OpenAPI 3.0 or 3.1.');
  } else if (version === undefined) {
    problems.add('/openapi', 'This is not an OpenAPI document: "openapi" is missing. It must be 3.0.x or 3.1.x.');
  } else {
    problems.add('/openapi', `OpenAPI ${JSON.stringify(version)?.slice(0, 32)} is not supported. Use 3.0.x or 3.1.x.`);
  }
  return undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be read.';
  if (error instanceof RangeError || error.message.startsWith('Maximum call stack')) return 'it is nested too deeply.';
  return error.message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
