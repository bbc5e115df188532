import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** An SMTP server as far as one mail needs it (RFC 5321). */
export async function startSmtp() {
  const state = { refuse: false, messages: [] as string[], port: 0, close: () => undefined as unknown };
  const server: Server = createServer((socket) => converse(socket, state));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.port = (server.address() as AddressInfo).port; // it listens on TCP
  state.close = () => server.close();
  return state;
}

function converse(socket: Socket, state: { readonly refuse: boolean; readonly messages: string[] }): void {
  let text = '';
  let message: string | undefined;
  const say = (line: string): unknown => socket.write(`${line}\r\n`);
  say('220 test');
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += chunk.toString();
    for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (message !== undefined) {
        if (line === '.') {
          state.messages.push(message);
          message = undefined;
          say('250 taken');
        } else message += `${line}\n`;
      } else if (/^data/i.test(line)) {
        message = '';
        say('354 go on');
      } else if (/^rcpt/i.test(line) && state.refuse) say('451 later');
      else if (/^quit/i.test(line)) socket.end('221 bye\r\n');
      else say('250 ok');
    }
  });
}
