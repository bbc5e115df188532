import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { endOf } from './end-of.js';
import type { Told } from './openid-provider.process.fixture.js';

const ENTRY = path.resolve('libs/testing/src/openid-provider.process.fixture.ts');

/** How Wharf is known at every such provider. */
export const COMPANY_CLIENT = { id: 'wharf', secret: 'the-client-secret-of-wharf-at-the-company' } as const;

/** A company's OpenID provider that runs beside the test: a real `oidc-provider` in a process of its own. */
export class CompanyProvider {
  private constructor(
    private child: ChildProcess,
    readonly port: number,
    private readonly redirectUris: readonly string[],
  ) {}

  static async start(redirectUris: readonly string[]): Promise<CompanyProvider> {
    const port = await freePort();
    return new CompanyProvider(await launch(port, redirectUris), port, redirectUris);
  }

  get issuer(): string {
    return `http://localhost:${this.port}`;
  }

  /** Says who signs in from now on, and what is wrong with it. */
  async tell(told: Told): Promise<void> {
    this.child.send({ told });
    await once(this.child, 'message');
  }

  /** Has something signed with the provider's key. */
  async sign(claims: Readonly<Record<string, unknown>>, header: object): Promise<string> {
    this.child.send({ sign: { claims, header } });
    const [answer]: Array<{ jwt: string }> = await once(this.child, 'message');
    return answer?.jwt ?? '';
  }

  stop(): Promise<void> {
    return endOf(this.child);
  }

  async restart(): Promise<void> {
    this.child = await launch(this.port, this.redirectUris);
  }
}

async function launch(port: number, redirectUris: readonly string[]): Promise<ChildProcess> {
  const child = fork(ENTRY, [String(port), redirectUris.join(',')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    serialization: 'advanced',
  });
  await once(child, 'message');
  return child;
}
