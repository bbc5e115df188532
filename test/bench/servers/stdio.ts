import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { serverWith } from './bare-sdk.js';
import { ECHO_TOOL, echoBy } from './echo-tool.js';

/** The echo server over standard input and output, for the peers to put on HTTP. */
export function serveEchoOnStdio(upstreamPort: number): void {
  const echo = echoBy('upstream', upstreamPort);
  serveStdio(() => serverWith([ECHO_TOOL], echo));
}
