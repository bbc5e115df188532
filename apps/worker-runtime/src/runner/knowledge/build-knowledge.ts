import { type KnowledgeManifest, type KnowledgeTool, type ReleaseSource } from '#libs/protocol';
import { at, Problems } from '../build-checks/problems.js';
import { refuseHidden, refuseHiddenWithin } from '../build-checks/text-safety.js';
import { knowledgeTools } from './tool-definitions.js';

type KnowledgeSource = Extract<ReleaseSource, { kind: 'knowledge' }>;
type BuiltTool = KnowledgeManifest['tools'][number];

/** The manifest of a knowledge server: its settings and tools, and no document. @throws AppError unprocessable */
export function buildKnowledge(serverSlug: string, source: KnowledgeSource): KnowledgeManifest {
  const { title, instructions, language, collections, memory, tools: named = {} } = source;
  const problems = new Problems();
  if (title !== undefined) refuseHidden(problems, '/title', title);
  if (instructions !== undefined) refuseHidden(problems, '/instructions', instructions);
  refuseHiddenWithin(problems, '/collections', collections ?? []);
  refuseHiddenWithin(problems, '/tools', named);
  refuseTwice(problems, '/collections', collections?.map(({ name }) => name) ?? []);
  const knowledge = { language, memory, ...(collections === undefined ? {} : { collections }) };
  const tools = knowledgeTools(knowledge).map((tool) => ({ ...tool, ...wordsFor(named[tool.does]) }));
  refuseUnused(problems, tools, named);
  refuseTwice(
    problems,
    '/tools',
    tools.map(({ name }) => name),
  );
  problems.refuse();
  return {
    version: 1,
    kind: 'knowledge',
    server: {
      name: serverSlug,
      ...(title === undefined ? {} : { title }),
      ...(instructions === undefined ? {} : { instructions }),
    },
    origins: [],
    credentials: [],
    knowledge,
    tools,
  };
}

function wordsFor(given: { name?: string | undefined; description?: string | undefined } = {}): Partial<BuiltTool> {
  const { name, description } = given;
  return { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
}

function refuseUnused(problems: Problems, tools: readonly BuiltTool[], named: object): void {
  for (const does of Object.keys(named) as KnowledgeTool[])
    // the source's schema has no other
    if (!tools.some((tool) => tool.does === does))
      problems.add(
        at('/tools', does),
        `This tool writes, which agents may not here. Turn \`memory\` on, or remove it.`,
      );
}

function refuseTwice(problems: Problems, pointer: string, names: readonly string[]): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      problems.add(at(pointer, index), `${JSON.stringify(name)} is there twice. Choose another name.`);
  });
}
