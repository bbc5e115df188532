import { Agent } from 'undici';
import { echoOf, LISTED_TOOLS } from '../load/work.js';

/**
 * How an echo tool comes to its answer: by itself, or from an upstream as the platform's tools do, with undici's request
 * (the leanest client there is) or with the `fetch` that most authors write.
 */
export type EchoKind = 'own' | 'upstream' | 'fetch';

/** An echo; the upstream's connections are kept. */
export function echoBy(kind: EchoKind, upstreamPort: number): (text: string) => Promise<string> {
  if (kind === 'own') return async (text) => echoOf(text);
  if (kind === 'fetch') return (text) => echoByFetch(`http://127.0.0.1:${upstreamPort}/`, text);
  const agent = new Agent({ connections: 32, pipelining: 1 });
  const origin = `http://127.0.0.1:${upstreamPort}`;
  return async (text) => {
    const answer = await agent.request({
      origin,
      path: '/',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (answer.statusCode !== 200) throw new Error(`the upstream answered ${answer.statusCode}`);
    return answer.body.text();
  };
}

async function echoByFetch(url: string, text: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ text }) });
  if (!answer.ok) throw new Error(`the upstream answered ${answer.status}`);
  return answer.text();
}

/** The one tool of the echo servers. */
export const ECHO_TOOL = {
  name: 'echo',
  description: 'Answers with the text it is given.',
  inputSchema: {
    type: 'object' as const,
    required: ['text'],
    properties: { text: { type: 'string', description: 'Any text.' } },
  },
};

/** The tools of the servers that are asked for their list. */
export const HUNDRED_TOOLS = Array.from({ length: LISTED_TOOLS }, (_, number) => ({
  ...ECHO_TOOL,
  name: `tool_${number}`,
  description: `Looks up entry ${number} of the catalogue and answers with what is known about it.`,
}));
