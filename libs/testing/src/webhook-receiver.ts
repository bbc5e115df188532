import { EventEmitter, on } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as a receiver got it. */
export interface ReceivedMessage {
  readonly id: string;
  /** As it came, for checking its signature. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Answer = (response: ServerResponse, message: ReceivedMessage) => void;

/** An HTTP server that keeps what it is sent. */
export interface WebhookReceiver {
  readonly url: string;
  readonly port: number;
  /** Everything so far, in the order it came. */
  readonly messages: readonly ReceivedMessage[];
  /** Resolves with the message of this number, counted from 0, once it has come. */
  message(number: number): Promise<ReceivedMessage>;
  /** How it answers from now on; 204 unless told. */
  answer(how: Answer): void;
  stop(): Promise<void>;
}

/** Starts a receiver on a port of its own. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const messages: ReceivedMessage[] = [];
  const events = new EventEmitter();
  let answer: Answer = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    void readMessage(request).then((message) => {
      messages.push(message);
      events.emit('message');
      answer(response, message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    messages,
    async message(number) {
      const arrivals = on(events, 'message');
      try {
        while (messages.length <= number) await arrivals.next();
      } finally {
        await arrivals.return?.();
      }
      const found = messages[number];
      if (found === undefined) throw new Error('a message is missing');
      return found;
    },
    answer: (how) => (answer = how),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readMessage(request: IncomingMessage): Promise<ReceivedMessage> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  return { id: headers['webhook-id'] ?? '', body, headers };
}
