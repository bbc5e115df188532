import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/**
 * Has the server's processes for 2026-era clients started, for those that can be asked and those that cannot: some
 * scenarios give a call half a second, and how long a first start takes on a busy machine is not what they are about.
 */
export async function warm(url: string): Promise<void> {
  for (const capabilities of [{}, { elicitation: {} }]) {
    const client = new Client({ name: 'warm', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    await client.callTool({ name: 'test_simple_text', arguments: {} });
    await client.close();
  }
}
