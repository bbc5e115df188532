import { expect, test } from '@jest/globals';
import { boundedAnswer } from './bounded-answer.js';

const DEEP = `${'['.repeat(257)}${']'.repeat(257)}`;
const MANY = `[${'0,'.repeat(200_001)}0]`;

function read(type: string, text: string): Promise<string> {
  const bytes = Buffer.from(text);
  const half = Math.floor(bytes.length / 2);
  const body = ReadableStream.from([bytes.subarray(0, half), bytes.subarray(half)]);
  return boundedAnswer(new Response(body, { headers: { 'content-type': type } })).text();
}

test.each([
  ['a message that is too deep', 'application/json', DEEP],
  ['one of too many members', 'application/json', MANY],
  ['a message that is too deep behind an empty line', 'application/json', `${'['.repeat(200)}\n\n${'['.repeat(57)}`],
  ['an event that is too deep', 'text/event-stream', `data: 1\n\ndata: ${DEEP}\n\n`],
  ['one of several lines', 'text/event-stream', `data: ${'['.repeat(200)}\r\ndata: ${'['.repeat(57)}\r\n\r\n`],
  ['one behind a comment that would hide it', 'text/event-stream', `: "\rdata: ${DEEP}\r\r`],
  ['one behind a comment that would make up for it', 'text/event-stream', `: ${']'.repeat(300)}\ndata: ${DEEP}\n\n`],
])('refuses %s', async (_what, type, text) => {
  await expect(read(type, text)).rejects.toMatchObject({ reason: 'too_large' });
});

test.each([
  ['a message within bounds', 'application/json', `{"a":"${'[,\\"'.repeat(300_000)}"}`],
  ['many events', 'text/event-stream', `data: [1,2,3]\r\n\r\n`.repeat(100_000)],
  ['events after comments with quotes', 'text/event-stream', `: it's "\n\ndata: ["[["]\n\n`.repeat(300)],
])('lets %s pass as it is', async (_what, type, text) => {
  expect(await read(type, text)).toBe(text);
});
