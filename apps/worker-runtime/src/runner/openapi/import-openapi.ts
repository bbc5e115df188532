import type { ConnectionUse, Credential, Manifest, ToolDefinition } from '#libs/protocol';
import { at, Problems } from '../build-checks/problems.js';
import type { ReportNotes } from '../build-checks/report.js';
import { withShapes } from '../build-checks/result-shapes.js';
import { shownText } from '../build-checks/text-safety.js';
import { buildOperationTool } from '../operations/operation-tool.js';
import { OperationSkipped } from '../operations/skipped.js';
import { refuseMalformed } from '../openapi-document/conformity.js';
import { readDocument, type OpenApiDocument, type OpenApiSource } from '../openapi-document/document.js';
import { nameOperations, noteRenamed } from './names.js';
import { isObject, objectOr, own, type JsonObject } from '../openapi-document/node.js';
import { listOperations, type Operation } from '../openapi-document/operations.js';
import { References } from '../openapi-document/references.js';
import { Security } from './security.js';
import { selectOperations } from './selection.js';
import { ServerVariables } from './server-variables.js';
import { readBaseUrls, type BaseUrls } from './servers.js';

const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;
const TITLE_CHARACTERS_MAX = 200;
const ORIGINS_MAX = 64;
const CREDENTIAL_ORIGINS_MAX = 16;
const TOOL_CREDENTIALS_MAX = 4;

/** What is known of a document before tools are made of it. */
interface Plan {
  readonly document: OpenApiDocument;
  readonly references: References;
  readonly selected: readonly Operation[];
  readonly names: ReadonlyMap<Operation, string>;
  readonly baseUrls: BaseUrls;
  readonly security: Security;
}

/** A tool and the origin it calls. */
interface ImportedTool {
  readonly definition: ToolDefinition;
  readonly origin: string;
}

/**
 * The manifest of an OpenAPI 3.0 or 3.1 document, given inline or as an artefact.
 * @throws AppError unprocessable with every problem: pointers into the document, or into the source for `/select`,
 * `/credentials` and `/baseUrl`
 */
export async function importOpenApi(
  serverSlug: string,
  source: OpenApiSource,
  artefact: Uint8Array | undefined,
  notes: ReportNotes,
): Promise<Manifest> {
  const problems = new Problems();
  const document = readDocument(problems, source, artefact);
  problems.refuse();
  if (document === undefined) throw new Error('a document that cannot be read leaves a problem');
  const plan = planImport(problems, notes, document, source);
  await refuseMalformed(problems, document);
  problems.refuse();
  const tools = buildTools(problems, notes, plan);
  const { credentials, connections } = credentialsOf(problems, plan, tools);
  const origins = [...new Set(tools.map((tool) => tool.origin))].sort();
  if (origins.length > ORIGINS_MAX)
    problems.add('/select', `These operations call ${origins.length} origins; at most ${ORIGINS_MAX} may be.`);
  if (tools.length === 0 && !problems.any) refuseAllSkipped(problems, notes);
  const info = objectOr(own(document.root, 'info'));
  const title = shownText(problems, '/info/title', own(info, 'title'), TITLE_CHARACTERS_MAX);
  const definitions = tools.map((tool) => tool.definition);
  const shaped = withShapes(problems, definitions, source.shapes ?? {});
  problems.refuse();
  plan.security.noteUnmet(notes);
  return {
    version: 1,
    kind: 'openapi',
    server: { name: serverSlug, ...(title === '' ? {} : { title }) },
    origins,
    credentials,
    ...(connections.length === 0 ? {} : { connections }),
    tools: shaped,
  };
}

function planImport(problems: Problems, notes: ReportNotes, document: OpenApiDocument, source: OpenApiSource): Plan {
  const { root } = document;
  const references = new References(root);
  refuseInfo(problems, root);
  references.refuseUnresolvable(problems);
  const operations = listOperations(problems, notes, root, references);
  const selected = selectOperations(problems, operations, source.select);
  const security = new Security(root, operations)
    .assign(problems, root, references, source.credentials ?? {})
    .connect(problems, root, references, source.connections ?? {});
  const variables = new ServerVariables(problems, source.serverVariables ?? {});
  const baseUrls = readBaseUrls(problems, root, source.baseUrl, variables);
  for (const operation of selected.length > 0 ? selected : operations) baseUrls(operation);
  variables.refuseUnknown();
  const names = nameOperations(operations);
  noteRenamed(notes, selected, names);
  return { document, references, selected, names, baseUrls, security };
}

function refuseInfo(problems: Problems, root: JsonObject): void {
  const info = own(root, 'info');
  if (info === undefined) problems.add('/info', '"info" is missing: a document needs a title and a version.');
  else if (!isObject(info)) problems.add('/info', '"info" must be an object with a title and a version.');
}

function refuseAllSkipped(problems: Problems, notes: ReportNotes): void {
  problems.add('/paths', 'No operation can become a tool; none sends what tools can send.');
  for (const { pointer, operation, reason } of notes.skipped) problems.add(pointer, `${operation}: ${reason}`);
}

function buildTools(problems: Problems, notes: ReportNotes, plan: Plan): ImportedTool[] {
  const tools: ImportedTool[] = [];
  let bytes = 0;
  for (const operation of plan.selected) {
    const definition = buildTool(problems, notes, plan, operation);
    if (definition === undefined) continue;
    bytes += Buffer.byteLength(JSON.stringify(definition));
    if (bytes > MANIFEST_BYTES_MAX) {
      problems.add(
        '/select',
        `The tools are larger than ${MANIFEST_BYTES_MAX} bytes together. Select fewer operations.`,
      );
      return tools;
    }
    tools.push({ definition, origin: new URL(definition.http.urlTemplate.replace(/\{[^{}]*\}/g, 'x')).origin });
  }
  return tools;
}

/** The tool of one operation; undefined after noting why it has none. */
function buildTool(
  problems: Problems,
  notes: ReportNotes,
  plan: Plan,
  operation: Operation,
): ToolDefinition | undefined {
  const credentials = plan.security.credentialsOf(operation).map((credential) => credential.id);
  const skip = (pointer: string, reason: string): void => notes.skip(pointer, operation.label, reason);
  const context = { operation, version: plan.document.version, references: plan.references, problems, skip };
  const setting = { name: plan.names.get(operation) ?? '', baseUrl: plan.baseUrls(operation) ?? '', credentials };
  if (credentials.length > TOOL_CREDENTIALS_MAX) {
    skip(
      operation.pointer,
      `It needs ${credentials.length} credentials at once; a tool may have ${TOOL_CREDENTIALS_MAX}.`,
    );
    return undefined;
  }
  try {
    return buildOperationTool(context, setting);
  } catch (error) {
    if (!(error instanceof OperationSkipped)) throw error;
    skip(error.pointer, error.message);
    return undefined;
  }
}

/** The credentials that tools use, each for the origins of those tools and no other. */
function credentialsOf(
  problems: Problems,
  { security }: Plan,
  tools: readonly ImportedTool[],
): { readonly credentials: Credential[]; readonly connections: ConnectionUse[] } {
  const credentials: Credential[] = [];
  const connections: ConnectionUse[] = [];
  for (const { connector, ...draft } of security.drafts) {
    const users = tools.filter((tool) => tool.definition.http.credentials.includes(draft.id));
    const origins = [...new Set(users.map((tool) => tool.origin))].sort();
    if (origins.length > CREDENTIAL_ORIGINS_MAX)
      problems.add(
        at('/credentials', draft.id),
        `It would go to ${origins.length} origins; at most ${CREDENTIAL_ORIGINS_MAX} may be. Select fewer operations.`,
      );
    if (origins.length === 0) continue;
    if (connector === undefined) credentials.push({ ...draft, origins });
    else connections.push({ id: draft.id, connector, origins });
  }
  return { credentials, connections };
}
