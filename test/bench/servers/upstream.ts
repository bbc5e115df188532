import { echoOf } from '../load/work.js';
import { bodyOf, listenAndTell } from './listen.js';

/** The upstream behind every echo tool: answers at once, so that what is measured is not it. */
export function serveUpstream(): void {
  listenAndTell((request, response) => {
    void bodyOf(request).then((body) => {
      const text = echoOf(request.method === 'POST' ? (JSON.parse(body) as { text: string }).text : 'ok'); // our own tools send it
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) }).end(text);
    });
  });
}
