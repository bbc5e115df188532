/** A page as MCP Apps show it (SEP-1865), with all that its resource says of it. */
export const PAGE = {
  uri: 'ui://chart/page.html',
  mimeType: 'text/html;profile=mcp-app',
  text: '<!doctype html>\n<title>Ünïcode & "quotes"</title>\t<script>let a = 1 < 2;</script>\r\n',
  _meta: { ui: { csp: { connectDomains: ['https://api.example.com'] } }, 'example.com/x': [1, null] },
};

/** What the tool that shows it says of that. */
export const TOOL_META = { ui: { resourceUri: PAGE.uri }, 'example.com/note': { deep: [{ a: 1 }] } };

const SERVER = `
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
const PAGE = ${JSON.stringify(PAGE)};
const create = () => {
  const server = new McpServer({ name: 'app', version: '1' });
  server.registerTool('chart', { description: 'Draws a chart.', _meta: ${JSON.stringify(TOOL_META)} }, () => ({ content: [] }));
  server.registerTool('told', { description: 'Says what it was told.' }, ({ mcpReq }) => {
    const { traceparent, tracestate, baggage } = { ...mcpReq._meta };
    const able = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities();
    const told = { traceparent, tracestate, baggage, extensions: able?.extensions };
    return { content: [{ type: 'text', text: JSON.stringify(told) }] };
  });
  server.registerResource('page', PAGE.uri, { mimeType: PAGE.mimeType }, () => ({ contents: [PAGE] }));
  return server;
};
`;

/** An MCP App as a bundle: one for both protocol eras, and one that knows the 2025 era only. */
export const APPS = {
  dual: `${SERVER}serveStdio(create);`,
  legacy: `${SERVER}await create().connect(new StdioServerTransport());`,
} as const;
