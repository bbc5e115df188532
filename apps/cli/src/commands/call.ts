import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { table } from '../output/table.js';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';

interface CallOptions {
  readonly server?: string;
  readonly arg?: readonly string[];
  readonly args?: string;
}

/** `wharf call` and `wharf tools`: what an agent sees, from here. */
export const addCall: AddCommands = (program, run) => {
  program
    .command('tools')
    .description('list the tools that agents see')
    .option('--server <server>', 'at one server’s URL instead of the tenant’s')
    .action(({ server }: CallOptions) => listTools(run(), server));
  program
    .command('call <tool>')
    .description('call a tool as an agent does')
    .option('--server <server>', 'at one server’s URL, where names have no prefix')
    .option(
      '-a, --arg <name=value...>',
      `an argument; JSON where it is JSON, else text: 'id="1.0"' is text, id=1.0 a number`,
    )
    .option('--args <json>', 'all arguments as one JSON object')
    .action((tool: string, options: CallOptions) => call(run(), tool, options));
};

/** Does something as an agent at a tenant URL. */
async function asAgent<Result>(
  session: Session,
  server: string | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { url, tenant } = session.profile;
  const resource = `${url}/t/${tenant}${server === undefined ? '' : `/${server}`}/mcp`;
  const headers = { authorization: `Bearer ${await session.bearer(resource)}` };
  const transport = new StreamableHTTPClientTransport(new URL(resource), { requestInit: { headers } });
  const client = new Client({ name: 'wharf-cli', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  try {
    return await work(client);
  } finally {
    if (transport.sessionId !== undefined) await transport.terminateSession().catch(() => undefined);
    await client.close();
  }
}

async function listTools(run: Run, server: string | undefined): Promise<void> {
  const { tools } = await asAgent(await run.session(), server, (client) => client.listTools());
  const rows = tools.map(({ name, description }) => [name, (description ?? '').split('\n')[0]?.slice(0, 100) ?? '']);
  run.output.result({ tools }, table(['TOOL', 'WHAT IT DOES'], rows));
}

async function call(run: Run, tool: string, options: CallOptions): Promise<void> {
  const args = argumentsOf(run, options);
  const result = await asAgent(await run.session(), options.server, (client) =>
    client.callTool({ name: tool, arguments: args }),
  ).catch((error: unknown) => {
    if (error instanceof ProtocolError)
      throw new CliProblem(`${tool} was refused: ${error.message}`, 'See `wharf tools`.');
    throw error;
  });
  const parts = result.content.map((part) => (part.type === 'text' ? part.text : JSON.stringify(part)));
  run.output.result(result, parts.length > 0 ? parts : JSON.stringify(result.structuredContent ?? {}, undefined, 2));
  if (result.isError === true) process.exitCode = 1;
}

/** @throws CliProblem for what is no `name=value` or no JSON object */
function argumentsOf({ output }: Run, { arg = [], args }: CallOptions): Record<string, unknown> {
  const given: unknown = args === undefined ? {} : parsed(args);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CliProblem('--args takes one JSON object.', `For example --args '{"id": 1}'.`);
  }
  const pairs = arg.map((pair): [string, unknown] => {
    const at = pair.indexOf('=');
    if (at < 1) throw new CliProblem(`"${pair}" is no argument.`, 'Write name=value.');
    const [name, text] = [pair.slice(0, at), pair.slice(at + 1)];
    const value = parsed(text);
    if (typeof value === 'number' && String(value) !== text)
      output.say(`${pair} is sent as the number ${value}; text is written -a '${name}="${text}"'.`);
    // JSON has no undefined, and null is a value like any other.
    return [name, value === undefined ? text : value];
  });
  return { ...given, ...Object.fromEntries(pairs) };
}

/** What JSON says; undefined for what is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
