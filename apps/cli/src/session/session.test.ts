import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Output } from '../output/output.js';
import { Profiles } from './profiles.js';
import { Session, type SessionOptions } from './session.js';

const KEPT = { url: 'http://127.0.0.1:9', tenant: 'acme', apiKey: 'whk_kept', grants: {} };

let folder: string;
let profiles: Profiles;
let other: Server;
let otherUrl: string;
let heard: string[];

/** Another installation, which writes down every credential that comes its way. */
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-session-'));
  profiles = new Profiles(folder);
  await profiles.save('kept', KEPT);
  heard = [];
  other = createServer((request, response) => {
    heard.push(request.headers.authorization ?? '');
    const tenant = { id: '1', slug: 'other', name: 'Other', plan: 'free', status: 'active' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ tenant }));
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`; // it listens on a port
});
afterEach(() => {
  other.close();
  rmSync(folder, { recursive: true });
});

const open = (options: SessionOptions): Promise<Session> => Session.open(options, profiles, new Output(true));

test.each([
  ['the environment', () => ({ environment: { url: otherUrl } })],
  ['the line', () => ({ url: otherUrl, environment: {} })],
  ['the line, beside the profile', () => ({ url: otherUrl, profile: 'kept', environment: {} })],
  ['the environment, which names the profile too', () => ({ environment: { url: otherUrl, profile: 'kept' } })],
])('a kept key goes to no other installation that %s names', async (_, options) => {
  await expect(open(options())).rejects.toMatchObject({
    message: expect.stringMatching(/"kept" is for http:\/\/127\.0\.0\.1:9, and .* names .*: nothing was sent/),
    advice: expect.stringContaining('--profile'),
  });
  expect(heard).toEqual([]);
});

test.each(['http://127.0.0.1:9', 'http://127.0.0.1:9/', 'HTTP://127.0.0.1:9'])(
  'a kept key is used where %s is written for its own installation',
  async (url) => {
    expect((await open({ url, environment: {} })).profile).toMatchObject(KEPT);
    expect((await open({ environment: { url } })).profile).toMatchObject(KEPT);
  },
);

test('a profile on the line wins over a key and a URL in the environment', async () => {
  const session = await open({ profile: 'kept', environment: { url: otherUrl, apiKey: 'whk_environment' } });
  expect([session.name, session.profile]).toEqual(['kept', KEPT]);
  expect(heard).toEqual([]);
});

test('a key in the environment is used at its URL, and wins over a profile there', async () => {
  const session = await open({ environment: { url: `${otherUrl}/`, apiKey: 'whk_environment', profile: 'kept' } });
  expect(session.profile).toMatchObject({ url: otherUrl, tenant: 'other', apiKey: 'whk_environment' });
  expect(heard).toEqual(['Bearer whk_environment']);
});

test('a key in the environment goes neither to a URL of a profile nor to one that its own differs from', async () => {
  await expect(open({ environment: { apiKey: 'whk_environment' } })).rejects.toMatchObject({
    message: 'Which installation is WHARF_API_KEY for?',
  });
  const environment = { url: KEPT.url, apiKey: 'whk_environment' };
  await expect(open({ url: otherUrl, environment })).rejects.toMatchObject({
    message: expect.stringContaining('it is sent to neither'),
  });
  expect(heard).toEqual([]);
});

test.each(['localhost', 'localhost:4000', 'ftp://wharf.example', 'https://me:pass@wharf.example', ''])(
  '"%s" is told to be no URL',
  async (url) => {
    await expect(open({ url, environment: {} })).rejects.toMatchObject({
      message: `"${url}" is no URL of an installation.`,
      advice: expect.stringContaining('https://'),
    });
  },
);
