import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createConnection } from 'node:net';
import { connectionProof, encodeFrame, FrameDecoder, SPOKEN, type RuntimeFrame } from '#libs/protocol';
import { INTAKE_KEY, startRuntime, type RuntimeUnderTest } from './worker-runtime.fixture.js';

let runtime: RuntimeUnderTest;

beforeAll(async () => {
  runtime = await startRuntime();
});

afterAll(() => runtime.stop());

/** What a runtime answers to a caller's proof that names this version, or none. */
function answerTo(version: number | undefined): Promise<RuntimeFrame> {
  return new Promise((resolve) => {
    const socket = createConnection(runtime.socket);
    const decoder = new FrameDecoder<RuntimeFrame>();
    socket.on('data', (chunk: Buffer) => {
      for (const { header } of decoder.push(chunk)) {
        if (header.t !== 'hello') {
          socket.destroy();
          return resolve(header);
        }
        const proof = connectionProof(INTAKE_KEY, 'caller', header.challenge, 'ours');
        const chosen = version === undefined ? {} : { version };
        socket.write(encodeFrame({ t: 'prove', challenge: 'ours', proof, ...chosen }));
      }
    });
  });
}

it('takes callers of the release before, and tells one of another time which versions it speaks', async () => {
  expect([(await answerTo(undefined)).t, (await answerTo(SPOKEN.to)).t]).toEqual(['proved', 'proved']);
  for (const version of [SPOKEN.from - 1, SPOKEN.to + 1]) {
    const message = `This worker-runtime speaks versions ${SPOKEN.from} to ${SPOKEN.to} of our protocol, not ${version}.`;
    expect(await answerTo(version)).toEqual({ t: 'unspoken', message });
  }
});
