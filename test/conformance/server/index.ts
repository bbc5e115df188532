import { createRequestStateCodec, McpServer, ProtocolError } from '@modelcontextprotocol/server';
import { memorySkillFiles, SkillsExtension } from '@modelcontextprotocol/server/ext/skills';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { randomBytes } from 'node:crypto';
import { whileAsking, type Answers } from './ask.js';
import { ASKING_TOOLS } from './asking-tools.js';
import { CONTENT_TOOLS } from './content-tools.js';
import { getPrompt, listPrompts } from './prompts.js';
import { CHANGE_TOOLS, registerResources } from './resources.js';
import { SKILL_FILES } from './skill-files.js';
import { TASK_TOOLS } from './task-tools.js';
import { registerTasks, TASKS } from './tasks.js';

/**
 * The server that the conformance suite tests: everything that its scenarios call for, as one MCP bundle. `ERAS` says
 * which protocol eras it speaks: `both`, `legacy` (2025-11-25 only) or `modern` (2026-07-28 only).
 */
const eras = process.env['ERAS'] ?? 'both';
const TOOLS = [...CONTENT_TOOLS, ...ASKING_TOOLS, ...CHANGE_TOOLS, ...(eras === 'legacy' ? [] : TASK_TOOLS)];
const INVALID_PARAMS = -32_602;

const codec = createRequestStateCodec<Answers>({ key: randomBytes(32), bind: ({ mcpReq }) => mcpReq.method });
const skills = await SkillsExtension.load(memorySkillFiles(SKILL_FILES));

function create(): McpServer {
  const mcp = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: {},
        logging: {},
        completions: {},
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        ...(eras === 'legacy' ? {} : { extensions: { [TASKS]: {} } }),
      },
      requestState: { verify: (state, context) => codec.verify(state, context) },
    },
  );
  registerResources(mcp);
  skills.attach(mcp);
  if (eras !== 'legacy') registerTasks(mcp);
  answerToolsAndPrompts(mcp);
  return mcp;
}

function answerToolsAndPrompts(mcp: McpServer): void {
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({
    tools: TOOLS.map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema: { type: 'object' as const, ...inputSchema },
    })),
  }));
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (tool === undefined) throw new ProtocolError(INVALID_PARAMS, 'There is no such tool.');
    const given = params.arguments ?? {};
    return whileAsking(mcp, context, codec, (ask) => tool.run({ arguments: given, context, mcp, ask }));
  });
  server.setRequestHandler('prompts/list', () => ({ prompts: listPrompts() }));
  server.setRequestHandler('prompts/get', async ({ params }, context) => {
    const answer = await whileAsking(mcp, context, codec, async (ask) => {
      const prompt = await getPrompt(params.name, params.arguments ?? {}, ask);
      if (prompt === undefined) throw new ProtocolError(INVALID_PARAMS, 'There is no such prompt.');
      return prompt;
    });
    return answer as never; // a prompt's messages, or what is needed first
  });
  server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris', 'park'], total: 2 } }));
  server.setRequestHandler('resources/subscribe', () => ({}));
  server.setRequestHandler('resources/unsubscribe', () => ({}));
}

if (eras === 'legacy') await create().connect(new StdioServerTransport());
else serveStdio(create, { legacy: eras === 'modern' ? 'reject' : 'serve' });
