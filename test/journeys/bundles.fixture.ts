const HANDLERS = `
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const attempt = async (work) => { try { return String(await work()); } catch (error) { return error.code ?? error.message; } };
let calls = 0;
let cancelled = 0;
const slow = (context, params) => new Promise((resolve) => {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken !== undefined)
    void context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 2, message: 'half' } });
  const { steps, everyMs } = params.arguments ?? {};
  let step = 0;
  const walk = () => {
    if (step++ >= steps) return resolve(text('done'));
    if (progressToken !== undefined)
      void context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 + step } });
    setTimeout(walk, everyMs);
  };
  if (steps !== undefined) walk();
  else if (params.arguments?.until === 'cancelled')
    context.mcpReq.signal.addEventListener('abort', () => { cancelled += 1; resolve(text('cancelled')); });
  else resolve(text('done'));
});
const look = async () => ({
  passwd: await attempt(() => readFile('/etc/passwd', 'utf8')),
  unbound: await attempt(() => execFileSync(process.execPath, ['--permission', '--allow-fs-read=*', '-p',
    'try { fs.readFileSync("/etc/passwd") } catch (error) { error.code }'], { encoding: 'utf8' })),
  own: await attempt(() => writeFile(new URL('../manifest.json', import.meta.url), 'changed')),
  home: await attempt(async () => { await writeFile(process.env.HOME + '/note', 'kept'); return readFile(process.env.HOME + '/note', 'utf8'); }),
  network: await attempt(() => fetch('http://127.0.0.1:' + (process.env.PORT ?? 4000))),
  environment: Object.keys(process.env).sort(),
});
const schema = (properties = {}) => ({ type: 'object', properties });
const tools = [
  { name: 'echo', title: 'Echo', description: 'Says it again.', annotations: { readOnlyHint: true },
    inputSchema: schema({ text: { type: 'string' } }),
    outputSchema: { ...schema({ said: { type: 'string' }, calls: { type: 'integer' } }), required: ['said'] } },
  { name: 'slow', description: 'Takes its time.', inputSchema: schema({ until: { type: 'string' } }) },
  { name: 'look', description: 'Looks around.', inputSchema: schema() },
  { name: 'cancelled', description: 'How many calls were cancelled.', inputSchema: schema() },
  { name: 'refuse', description: 'Refuses with a protocol error.', inputSchema: schema() },
  { name: 'spin', description: 'Never ends.', inputSchema: schema() },
  { name: 'crash', description: 'Ends its process.', inputSchema: schema() },
];
const create = () => {
  const server = new Server({ name: 'bundled', version: '1' }, { capabilities: { tools: {} }, instructions: 'Echo first.' });
  server.setRequestHandler('tools/list', () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    if (params.name === 'echo') {
      const said = { said: params.arguments?.text ?? '', calls: ++calls };
      return { ...text(said), structuredContent: said };
    }
    if (params.name === 'slow') return slow(context, params);
    if (params.name === 'look') return text(await look());
    if (params.name === 'cancelled') return text(cancelled);
    if (params.name === 'spin') for (;;);
    if (params.name === 'crash') process.exit(3);
    throw new ProtocolError(-32602, 'not with these arguments');
  });
  return server;
};
`;

const IMPORTS = `
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { ProtocolError, Server } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
`;

/** Servers written with the v2 SDK: one for both protocol eras, and one that knows the 2025 era only. */
export const SERVERS = {
  dual: `${IMPORTS}${HANDLERS}serveStdio(create);`,
  legacy: `${IMPORTS}${HANDLERS}await create().connect(new StdioServerTransport());`,
} as const;
