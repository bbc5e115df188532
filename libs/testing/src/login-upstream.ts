import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { endOf } from './end-of.js';
import type { SeenByUpstream, ToldUpstream } from './login-upstream.process.fixture.js';

const ENTRY = path.resolve('libs/testing/src/login-upstream.process.fixture.ts');

/** An upstream at which people log in: an authorization server and an MCP server that takes its tokens alone. */
export class LoginUpstream {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(): Promise<LoginUpstream> {
    const port = await freePort();
    const child = fork(ENTRY, [String(port)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      serialization: 'advanced',
    });
    await once(child, 'message');
    return new LoginUpstream(child, port);
  }

  get issuer(): string {
    return `http://localhost:${this.port}`;
  }

  /** URL of its MCP server. */
  get url(): string {
    return `${this.issuer}/mcp`;
  }

  /** Tells it something; returns what it has seen so far. */
  async tell(told: ToldUpstream = {}): Promise<SeenByUpstream> {
    this.child.send(told);
    const [seen]: SeenByUpstream[] = await once(this.child, 'message');
    if (seen === undefined) throw new Error('the upstream did not answer');
    return seen;
  }

  stop(): Promise<void> {
    return endOf(this.child);
  }
}
