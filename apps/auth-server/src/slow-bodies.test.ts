import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AuthWorld } from './testing/auth-world.fixture.js';

const SECOND = 1_000;
const SECONDS_MAX = 60;

describe('a body that does not arrive', () => {
  let world: AuthWorld;
  let login: string;

  beforeAll(async () => {
    world = await AuthWorld.open();
    const acme = await world.addTenant('acme');
    await world.addPerson('ana@acme.test', { [acme]: 'user' });
    const page = await world.browser().open(world.authorizeUrl(await world.register(), `${world.url}/t/acme/mcp`));
    login = new URL(page.url).pathname;
  });
  afterAll(async () => world.close());
  // Only what waits is moved forward; the database, Redis and the sockets go on as they are.
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Sends a byte a second and never all of them; the first line of the answer, empty where none comes. */
  async function trickle(path: string, type: string): Promise<string> {
    let answer = '';
    const socket: Socket = connect(Number(new URL(world.url).port), 'localhost');
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n`);
    socket.write(`expect: 100-continue\r\ncontent-length: ${SECONDS_MAX * 2}\r\n\r\n`);
    while (!answer.includes('100 Continue')) await turn();
    for (let seconds = 0; seconds < SECONDS_MAX && !answer.includes('HTTP/1.1 4'); seconds += 1) {
      socket.write('x');
      for (let turns = 0; turns < 50; turns += 1) await turn();
      await jest.advanceTimersByTimeAsync(SECOND);
    }
    socket.destroy();
    return /HTTP\/1\.1 4.*/.exec(answer)?.[0].trim() ?? '';
  }

  test.each([
    ['the token endpoint', () => '/auth/token', 'application/x-www-form-urlencoded'],
    ['registration', () => '/auth/register', 'application/json'],
    ['the sign-in form', () => login, 'application/x-www-form-urlencoded'],
  ])('at %s is refused with 408 instead of being waited for', async (_where, path, type) => {
    expect(await trickle(path(), type)).toBe('HTTP/1.1 408 Request Timeout');
  });
});
