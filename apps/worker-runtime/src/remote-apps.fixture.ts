import { McpServer, type ServerContext } from '@modelcontextprotocol/server';

/** A page as MCP Apps show it (SEP-1865), with all that its resource says of it. */
export const PAGE = {
  uri: 'ui://chart/page.html',
  mimeType: 'text/html;profile=mcp-app',
  text: '<!doctype html>\n<title>Ünïcode & "quotes"</title>\t<script>let a = 1 < 2;</script>\r\n',
  _meta: {
    ui: { csp: { connectDomains: ['https://api.example.com'] }, prefersBorder: true },
    'example.com/x': [1, null],
  },
};

/** What the tool that shows it says of that. */
export const TOOL_META = {
  ui: { resourceUri: PAGE.uri, visibility: ['model', 'app'] },
  'example.com/note': { deep: [{ a: 1 }] },
};

/** An MCP App: a tool with a page, and one that says what it was told beside its arguments. */
export function appServer(name: string): McpServer {
  const server = new McpServer({ name, version: '1' });
  server.registerTool('chart', { description: 'Draws a chart.', _meta: TOOL_META }, () => ({
    content: [{ type: 'text', text: 'drawn' }],
  }));
  server.registerTool('told', { description: 'Says what it was told.' }, ({ mcpReq }: ServerContext) => {
    const { traceparent, tracestate, baggage } = { ...mcpReq._meta };
    const envelope = { ...mcpReq.envelope } as Readonly<Record<string, { readonly extensions?: unknown }>>;
    const { extensions } = envelope['io.modelcontextprotocol/clientCapabilities'] ?? {
      ...server.server.getClientCapabilities(),
    };
    return { content: [{ type: 'text', text: JSON.stringify({ traceparent, tracestate, baggage, extensions }) }] };
  });
  server.registerResource('page', PAGE.uri, { mimeType: PAGE.mimeType }, () => ({ contents: [PAGE] }));
  return server;
}
