import { expect, test } from '@jest/globals';
import { Reply } from '../dispatch/reply.js';
import { send } from '../requests.fixture.js';
import { listen } from '../surroundings.fixture.js';
import { BatchAnswer } from './batch-answer.js';

const OPTIONS = { heartbeatMs: 60_000, opens: 'when-told' } as const;
const said = (id: number): Buffer => Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));

test('a batch becomes one stream as soon as one of its messages streams, with what was answered before', async () => {
  const closed: number[] = [];
  const server = await listen((_, response) => {
    const batch = new BatchAnswer(response);
    const replies = [1, 2, 3].map((id) => {
      const part = batch.part().once('close', () => closed.push(id));
      return new Reply(part, OPTIONS);
    });
    const [first, second, third] = replies;
    first?.finish(200, said(1));
    second?.part(Buffer.from('{"jsonrpc":"2.0","method":"notifications/progress"}'));
    third?.end();
    second?.finish(200, said(2));
    setImmediate(() => batch.end());
  });
  const { headers, text } = await send(server.origin);
  expect([headers['content-type'], headers['x-accel-buffering']]).toEqual(['text/event-stream', 'no']);
  const messages = text.split('\n\n').flatMap((event) => /data: (.*)/.exec(event)?.[1] ?? []);
  expect(messages.map((message) => JSON.parse(message))).toMatchObject([
    { id: 1 },
    { method: 'notifications/progress' },
    { id: 2 },
  ]);
  expect(closed.toSorted()).toEqual([1, 2, 3]);
  await server.close();
});
