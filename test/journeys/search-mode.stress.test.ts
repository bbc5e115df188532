import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectAgent, connectWithApiKey, OperatorApi, signUp, WharfApi, type AgentProtocol } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { UnauthorizedError } from '@modelcontextprotocol/client';

const GITHUB = path.resolve('node_modules/@octokit/openapi/generated/api.github.com.json');
const OWNER = { email: 'owner@octo.example', password: 'octo correct horse battery' };
const ROUNDS = 300;
const ERAS: AgentProtocol[] = ['default', '2026-07-28'];

let wharf: Wharf;
let upstream: Server;
let key: string;
let searching: string;
let whole: string;
let audited: (text: string) => Promise<number>;
const asked: string[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json').end('{"id":1,"full_name":"nodejs/node"}');
  }).listen(0, '127.0.0.1');
  [wharf] = await Promise.all([startWharf(), once(upstream, 'listening')]);
  const { port } = upstream.address() as AddressInfo; // it listens on a port
  const { api_key: apiKey } = await signUp(wharf.url, { tenantName: 'Octo', slug: 'octo', ...OWNER });
  key = apiKey.text;
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: key });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('octo', '127.0.0.1', port, 'the test’s own upstream');
  await operator.setPlan('octo', 'scale', 'many calls');
  await api.createServer('github', 'GitHub');
  await api.allowWrites('github');
  const artefact = await api.uploadArtefact('application/json', new Uint8Array(readFileSync(GITHUB)));
  const baseUrl = `http://127.0.0.1:${port}`;
  const { release, report } = await api.createRelease('github', { kind: 'openapi', artefact, baseUrl });
  expect(report.tools).toBeGreaterThan(1_000);
  await api.publish('github', release.id);
  searching = await createProfile({ slug: 'search', name: 'All of GitHub', search: true });
  whole = await createProfile({ slug: 'whole', name: 'All of GitHub, listed' });
  audited = async (text) =>
    (await api.audit({ limit: 200 })).filter((record) => JSON.stringify(record).includes(text)).length;
});

afterAll(async () => {
  await wharf.stop();
  upstream.close();
});

async function createProfile(body: object): Promise<string> {
  const answer = await fetch(`${wharf.url}/v1/profiles`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(201);
  const { profile } = (await answer.json()) as { profile: { urls: { mcp: string }; live_now: object } };
  process.stdout.write(`${JSON.stringify(profile.live_now)}\n`);
  return profile.urls.mcp;
}

interface Result {
  readonly isError?: boolean | undefined;
  readonly content: ReadonlyArray<{ readonly type: string; readonly text?: string | undefined }>;
}

function textOf(result: unknown): string {
  const { isError, content } = result as Result; // the client has checked it
  expect(isError ?? false).toBe(false);
  return content[0]?.text ?? '';
}

describe.each(ERAS)('an agent of the era %s, with a thousand tools behind its URL', (protocol) => {
  test('lists three tools for a hundredth of the cost, finds the right one and runs it', async () => {
    const all = await connectWithApiKey({ url: whole, apiKey: key, protocol });
    const listed = await all.client.listTools();
    await all.close();
    const agent = await connectWithApiKey({ url: searching, apiKey: key, protocol });
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search_tools', 'describe_tool', 'run_tool']);
    const [before, after] = [JSON.stringify(listed.tools).length, JSON.stringify(tools).length];
    process.stdout.write(
      `${protocol}: ${listed.tools.length} tools, list of ${before} bytes, in search mode ${after}\n`,
    );
    expect(after * 100).toBeLessThan(before);
    const longest = Math.max(...listed.tools.map(({ name }) => `mcp__octo-whole__${name}`.length));
    expect(longest).toBeLessThanOrEqual(64);
    expect(new Set(listed.tools.map(({ name }) => name)).size).toBe(listed.tools.length);

    const call = async (name: string, given: Record<string, unknown>) =>
      textOf(await agent.client.callTool({ name, arguments: given }));
    const found = JSON.parse(await call('search_tools', { query: 'get a repository' }));
    const names: string[] = found.tools.map((tool: { name: string }) => tool.name);
    expect(names[0]).toBe('github__repos_get');
    const described = JSON.parse(await call('describe_tool', { name: 'github__repos_get' }));
    expect(described.inputSchema.required).toEqual(expect.arrayContaining(['owner', 'repo']));
    asked.length = 0;
    const given = { owner: 'nodejs', repo: 'node' };
    expect(await call('run_tool', { name: 'github__repos_get', arguments: given })).toContain('nodejs/node');
    expect(asked).toEqual(['GET /repos/nodejs/node']);
    const wrong = await agent.client.callTool({
      name: 'run_tool',
      arguments: { name: 'github__repos_get', arguments: {} },
    });
    expect(JSON.stringify(wrong)).toContain('github__repos_get');
    await agent.close();
  });

  test('signs its person in at the profile’s own URL, and is asked for more by the tool that it wants to run', async () => {
    const agent = await connectAgent({ url: searching, protocol, ...OWNER });
    expect(agent.scope()).toBe('mcp:read');
    const write = {
      name: 'run_tool',
      arguments: { name: 'github__repos_delete', arguments: { owner: 'a', repo: 'b' } },
    };
    await expect(agent.client.callTool(write)).rejects.toThrow(UnauthorizedError);
    await agent.finishStepUp();
    expect(agent.scope()).toContain('github:write');
    const before = await audited('"github__repos_delete"');
    asked.length = 0;
    await agent.client.callTool(write);
    expect(asked).toEqual(['DELETE /repos/a/b']);
    await agent.close();
    await until(async () => (await audited('"github__repos_delete"')) > before, 'the call’s record');
  });
});

test('what a call costs at a server, at a profile and by run_tool is shown', async () => {
  const given = { owner: 'nodejs', repo: 'node' };
  const ways = await Promise.all(
    [
      { url: `${wharf.url}/t/octo/github/mcp`, call: { name: 'repos_get', arguments: given } },
      { url: whole, call: { name: 'github__repos_get', arguments: given } },
      { url: searching, call: { name: 'run_tool', arguments: { name: 'github__repos_get', arguments: given } } },
    ].map(async ({ url, call }) => {
      const agent = await connectWithApiKey({ url, apiKey: key, protocol: '2026-07-28' });
      return { agent, call, times: [] as number[] };
    }),
  );
  asked.length = 0;
  // One after the other in turn, so that whatever else this machine does meets all of them alike.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { agent, call, times } of ways) {
      const started = performance.now();
      await agent.client.callTool(call);
      times.push(performance.now() - started);
    }
  }
  expect(asked).toHaveLength(ROUNDS * ways.length);
  await Promise.all(ways.map(({ agent }) => agent.close()));
  const medians = ways.map(({ times }) => times.sort((left, right) => left - right)[ROUNDS / 2]?.toFixed(2));
  process.stdout.write(
    `median of a call: server ${medians[0]} ms, profile ${medians[1]} ms, run_tool ${medians[2]} ms\n`,
  );
});
