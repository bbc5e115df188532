import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'wharf-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A client that keeps its connections, with as little of its own as can be. */
export class BenchClient {
  readonly #agent: Agent;

  constructor(
    private readonly url: string,
    private readonly apiKey: string,
    connections: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Calls a tool and returns how long it took, in ms. @throws Error when the answer is no result */
  async call(tool: string): Promise<number> {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: {}, _meta: META },
    });
    const started = performance.now();
    const answer = await this.#post(body, tool);
    const ms = performance.now() - started;
    if (!answer.includes('"result"') || answer.includes('"isError":true'))
      throw new Error(`the call failed: ${answer.slice(0, 500)}`);
    return ms;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string, tool: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.url,
        {
          agent: this.#agent,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            accept: 'application/json, text/event-stream',
            authorization: `Bearer ${this.apiKey}`,
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': 'tools/call',
            'mcp-name': tool,
          },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => (text += chunk));
          incoming.on('end', () => resolve(text));
          incoming.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

/** A percentile of some figures. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
