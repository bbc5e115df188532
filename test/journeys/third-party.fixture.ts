import { bundleManifest } from '#libs/testing';

/** What the bundle asks its users for, and where the values go. */
export const MANIFEST = bundleManifest({
  user_config: {
    token: { type: 'string', title: 'Token', description: 'A key.', sensitive: true, required: true },
    pin: { type: 'string', title: 'Pin', description: 'Another.', sensitive: true, required: false },
    region: { type: 'string', title: 'Region', description: 'Where.', default: 'eu' },
    folders: { type: 'directory', title: 'Folders', description: 'Which.', multiple: true, default: ['${HOME}/a'] },
    retries: { type: 'number', title: 'Retries', description: 'How often.', min: 0, max: 9, required: false },
    loud: { type: 'boolean', title: 'Loud', description: 'Whether.', required: false },
  },
  server: {
    type: 'node',
    entry_point: 'server/index.mjs',
    mcp_config: {
      command: '/bin/sh',
      args: ['${__dirname}/server/index.mjs', '--pin=${user_config.pin}', '${user_config.folders}'],
      env: {
        API_TOKEN: '${user_config.token}',
        REGION: 'region-${user_config.region}',
        RETRIES: '${user_config.retries}',
        LOUD: '${user_config.loud}',
      },
    },
  },
});

/** A server of the 2025 era that does everything that the protocol has, and tries what it may not. */
export const SERVER = `
import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { request as undiciRequest, fetch as undiciFetch } from 'undici';
import { ProtocolError, Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const attempt = async (work) => { try { return await work(); } catch (error) { return 'failed: ' + (error.cause?.code ?? (typeof error.code === 'string' ? error.code : error.message)); } };
const withTime = (work) => Promise.race([work, new Promise((_, reject) => setTimeout(() => reject(new Error('timeout')), 2000))]);
const dial = (port, host) => withTime(new Promise((resolve, reject) => net.connect(port, host, () => resolve('connected')).on('error', reject)));
const get = (client, url) => new Promise((resolve, reject) => client.get(url, (response) => {
  let body = ''; response.on('data', (part) => { body += part; }).on('end', () => resolve(response.statusCode + ' ' + body));
}).on('error', reject));
const WAYS = {
  fetch: async (url) => { const answer = await fetch(url); return answer.status + ' ' + await answer.text(); },
  node: (url) => get(url.startsWith('https:') ? https : http, url),
  undici: async (url) => { const { statusCode, body } = await undiciRequest(url); return statusCode + ' ' + await body.text(); },
  'undici fetch': async (url) => { const answer = await undiciFetch(url); return answer.status + ' ' + await answer.text(); },
};
const unbound = (program) => JSON.parse(execFileSync(process.execPath, ['--permission', '--allow-fs-read=*', '-p', program], { encoding: 'utf8' }));
const PROCESSES = 'JSON.stringify(fs.readdirSync("/proc").filter((name) => Number(name) > 0).map((pid) => { try { return fs.readFileSync("/proc/" + pid + "/cmdline", "utf8").split(String.fromCharCode(0)).join(" ") } catch { return "" } }))';
const DAEMON = 'const { spawn } = require("child_process"); spawn(process.execPath, ["-e", "setInterval(() => {}, 1000) // marked-daemon"], { detached: true, stdio: "ignore" }).unref(); process.exit(0)';

const TOOLS = {
  reach: async ({ way, url }) => text(await attempt(() => WAYS[way](url))),
  escape: async ({ port }) => text({
    loopback: await attempt(() => dial(port, '127.0.0.1')),
    outside: await attempt(() => dial(80, '192.0.2.1')),
    metadata: await attempt(() => dial(80, '169.254.169.254')),
    lookup: await attempt(() => withTime(lookup('example.com'))),
    dns: await attempt(() => withTime(new Resolver({ timeout: 500, tries: 1 }).resolve4('example.com'))),
    datagram: await attempt(() => new Promise((resolve, reject) => {
      const socket = dgram.createSocket('udp4').on('error', reject);
      socket.send('x', 53, '192.0.2.1', (error) => error ? reject(error) : resolve('sent'));
    })),
    proxied: await attempt(() => WAYS.fetch('http://169.254.169.254/latest/meta-data/')),
  }),
  config: async () => {
    console.error('my token is ' + process.env.API_TOKEN);
    const { API_TOKEN, REGION, RETRIES, LOUD } = process.env;
    return text({ token: API_TOKEN, pieces: API_TOKEN?.split(''), REGION, RETRIES, LOUD, args: process.argv.slice(2),
      cmdlines: unbound(PROCESSES), arguments: process.env.WHARF_ARGUMENTS ?? 'gone' });
  },
  shout: async () => {
    const line = 'noise '.repeat(300) + '\\n';
    for (let written = 0; written < 300 * 1024 * 1024; written += line.length)
      if (!process.stderr.write(line)) await new Promise((resolve) => process.stderr.once('drain', resolve));
    return text('shouted');
  },
  complain: async () => { throw new ProtocolError(-32602, 'refused with ' + process.env.API_TOKEN); },
  meta: async () => ({ ...text('see _meta'), _meta: { 'example.com/cost': 7 } }),
  sample: async (_, server) => text(await attempt(() => server.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'say hi' } }], maxTokens: 5 }))),
  elicit: async (_, server) => text(await attempt(() => server.elicitInput({ mode: 'form', message: 'Your name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }))),
  roots: async (_, server) => text(await attempt(() => server.listRoots())),
  log: async (_, server) => { await server.sendLoggingMessage({ level: 'warning', data: 'careful' }); return text('logged'); },
  touch: async (_, server) => {
    await server.sendResourceUpdated({ uri: 'note://one' });
    await server.sendResourceListChanged();
    await server.sendPromptListChanged();
    return text('touched');
  },
  servers: async () => text(unbound(PROCESSES).filter((line) => line.includes('server/index.mjs')).length),
  daemon: async () => { spawn(process.execPath, ['-e', DAEMON], { detached: true, stdio: 'ignore' }).unref(); return text('started'); },
  daemons: async () => text(unbound(PROCESSES).filter((line) => line.includes('marked-daemon')).length),
  fork_bomb: async () => {
    const bomb = 'const { spawn } = require("child_process"); for (;;) try { spawn(process.execPath, ["-e", process.env.BOMB], { detached: true, stdio: "ignore" }).on("error", () => {}) } catch {}';
    spawn(process.execPath, ['-e', bomb], { env: { BOMB: bomb }, detached: true, stdio: 'ignore' }).on('error', () => undefined);
    return text('lit');
  },
  flood: async (_, server) => {
    for (let count = 0; count < 5000; count += 1) await server.notification({ method: 'notifications/message', params: { level: 'error', data: 'x'.repeat(100) } });
    return text('flooded');
  },
  crash: async () => process.exit(3),
};

const server = new Server({ name: 'everything', version: '1' }, {
  capabilities: { tools: {}, logging: {}, completions: {}, prompts: { listChanged: true }, resources: { subscribe: true, listChanged: true } },
});
let subscribed = 0;
server.setRequestHandler('tools/list', () => ({ tools: Object.keys(TOOLS).map((name) => ({ name, description: name, inputSchema: { type: 'object' } })) }));
server.setRequestHandler('tools/call', ({ params }) => TOOLS[params.name](params.arguments ?? {}, server));
server.setRequestHandler('resources/list', ({ params }) => params?.cursor === undefined
  ? { resources: [{ uri: 'note://one', name: 'one' }], nextCursor: 'next' }
  : { resources: [{ uri: 'note://two', name: 'two' }] });
server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'note' }] }));
server.setRequestHandler('resources/read', ({ params }) => {
  if (!params.uri.startsWith('note://')) throw new ProtocolError(-32002, 'no such note');
  return { contents: [{ uri: params.uri, text: 'note ' + subscribed }] };
});
server.setRequestHandler('resources/subscribe', () => { subscribed += 1; return {}; });
server.setRequestHandler('resources/unsubscribe', () => { subscribed -= 1; return {}; });
server.setRequestHandler('prompts/list', () => ({ prompts: [{ name: 'greet', arguments: [{ name: 'who', required: true }] }] }));
server.setRequestHandler('prompts/get', ({ params }) => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Greet ' + params.arguments.who + ' as ' + params.name } }] }));
server.setRequestHandler('completion/complete', ({ params }) => ({ completion: { values: [params.argument.value + 'ica'] } }));
server.setNotificationHandler('notifications/roots/list_changed', async () => { await server.sendLoggingMessage({ level: 'error', data: 'roots changed' }); });
await server.connect(new StdioServerTransport());
`;
