import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { signInAsPerson } from './sign-in.js';

const REDIRECT_URI = 'http://127.0.0.1:1/callback';
const PERSON = { email: 'ada@example.com', password: 'correct horse & battery' };
let site: Server;
let url: string;
const seen: string[] = [];

/** A sign-in as authorization servers build them: session cookie, hidden token, then a consent page with two buttons. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?')[0];
  const form = new URLSearchParams(request.method === 'POST' ? await text(request) : '');
  const cookie = request.headers.cookie ?? '';
  seen.push(`${request.method} ${path} ${cookie}`);
  const go = (location: string, ...cookies: string[]) =>
    response.writeHead(303, { location, 'set-cookie': cookies }).end();
  const page = (html: string) => response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  if (path === '/authorize')
    return void go('/interaction/7', 'visit=abc; Path=/interaction; HttpOnly', 'old=; Max-Age=0');
  if (path === '/interaction/7' && request.method === 'GET') {
    return void page(
      `<h1>Sign in</h1><form method="post" action="/interaction/7/login"><input type="hidden" name="csrf" value="t&amp;1">
       <input name='login' type=email><input type="password" name="password" required><button type="submit">Sign in</button></form>`,
    );
  }
  if (path === '/interaction/7/login') {
    const right =
      form.get('csrf') === 't&1' &&
      form.get('login') === PERSON.email &&
      form.get('password') === PERSON.password &&
      cookie === 'visit=abc';
    return void (right
      ? go('/consent')
      : page(
          '<p>E-mail or password is wrong.</p><form method="post" action="/interaction/7/login"><input type="password" name="password"></form>',
        ));
  }
  if (path === '/consent' && request.method === 'GET') {
    return void page(
      `<form method="post" action="/consent"><button name="answer" value="refuse">Refuse</button><button name="answer" value="allow">Allow</button></form>`,
    );
  }
  if (path === '/consent' && form.get('answer') === 'allow') return void go(`${REDIRECT_URI}?code=42&iss=me&state=s`);
  response.writeHead(404, { 'content-type': 'text/html' }).end('<p>Nothing here.</p>');
}

beforeAll(async () => {
  site = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`; // it listens on a port, not a pipe
});

afterAll(() => {
  site.close();
  site.closeAllConnections();
});

function authorizationUrl(path: string): URL {
  return new URL(`${path}?redirect_uri=${encodeURIComponent(REDIRECT_URI)}`, url);
}

test('signs in, allows, and comes back with what the client waits for', async () => {
  const callback = await signInAsPerson(authorizationUrl('/authorize'), PERSON);
  expect(callback.href).toBe(`${REDIRECT_URI}?code=42&iss=me&state=s`);
});

test('sends a cookie only below its path', () => {
  expect(seen).toContain('POST /interaction/7/login visit=abc');
  expect(seen).toContain('GET /consent ');
});

test('says what the page said when the password is refused', async () => {
  const wrong = signInAsPerson(authorizationUrl('/authorize'), { ...PERSON, password: 'wrong' });
  await expect(wrong).rejects.toThrow('The sign-in was refused: E-mail or password is wrong.');
});

test('says where it stopped when there is no form', async () => {
  await expect(signInAsPerson(authorizationUrl('/elsewhere'), PERSON)).rejects.toThrow(
    'The sign-in stopped at /elsewhere (404): Nothing here.',
  );
});
