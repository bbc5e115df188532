import type { CompanyProvider } from '#libs/testing';
import { AuthWorld, type TestClient } from './auth-world.fixture.js';
import { Browser, type Visited } from './browser.fixture.js';
import { connectProvider, startCompany } from './openid-provider.fixture.js';

/** Somebody of the company. */
export const ANNA = { sub: 'anna-1', email: 'anna@company.example', groups: ['engineers'] };

/** Where the page that leaves for a provider leads. @throws Error when it is another page */
export function departureOf(page: Visited): string {
  const refresh = /^0; url=(.*)$/.exec(page.headers.get('refresh') ?? '')?.[1];
  if (refresh === undefined) throw new Error(`no departure but ${page.status}: ${page.text}`);
  return refresh;
}

/** Two tenants, of which `acme` has connected its company's provider, with rules for domain and groups. */
export class FederationWorld {
  private constructor(
    readonly world: AuthWorld,
    readonly company: CompanyProvider,
    readonly acme: string,
    readonly twin: string,
    readonly provider: string,
    readonly client: TestClient,
  ) {}

  static async open(changes: Readonly<Record<string, string>> = {}): Promise<FederationWorld> {
    const world = await AuthWorld.open(changes);
    const [acme, twin] = [await world.addTenant('acme'), await world.addTenant('twin', 'CANARY-B')];
    const company = await startCompany(world, ['acme', 'twin']);
    const provider = await connectProvider(world, acme, company, { email_domains: ['company.example'] });
    return new FederationWorld(world, company, acme, twin, provider, await world.register());
  }

  async close(): Promise<void> {
    await this.company.stop();
    await this.world.close();
  }

  /** Lets Anna sign in next, and forgets who was a member. */
  async begin(): Promise<void> {
    await this.company.tell({ person: ANNA });
    await this.world.owner.query(`delete from members where tenant_id = $1`, [this.acme]);
  }

  /** Starts the provider anew, as somebody who has heard nothing of it. */
  async restartCompany(): Promise<void> {
    await this.company.restart();
    await this.forgetCompany();
  }

  /** Makes the provider be asked for its configuration again. */
  async forgetCompany(): Promise<void> {
    await this.world.owner.query(`update identity_providers set updated_at = now() where id = $1`, [this.provider]);
  }

  get resource(): string {
    return `${this.world.url}/t/acme/mcp`;
  }

  /** A browser that goes to the provider and comes back. */
  newBrowser(): Browser {
    return new Browser(this.world.url, [this.company.issuer]);
  }

  /** The sign-in page of a tenant. */
  async loginPage(browser: Browser, resource = this.resource): Promise<Visited> {
    return browser.open(this.world.authorizeUrl(this.client, resource));
  }

  /** The consent that is asked for before anything leaves. */
  async askedBy(browser: Browser): Promise<Visited> {
    return browser.submit(await this.loginPage(browser), { provider: this.provider });
  }

  /** Up to the provider; returns its URL. */
  async depart(browser: Browser): Promise<string> {
    const asked = await this.askedBy(browser);
    return departureOf(await browser.submit(asked, { provider: this.provider, action: 'forward' }));
  }

  /** All the way as whoever the provider signs in; returns the last page, or the redirect to the client. */
  async signIn(browser = this.newBrowser()): Promise<Visited> {
    return browser.open(await this.depart(browser));
  }

  /** Who is a member of `acme`, with which role. */
  async members(): Promise<string[]> {
    const { rows } = await this.world.owner.query(
      `select a.asserted_email || ' ' || m.role as member from members m join accounts a on a.id = m.account_id
       where m.tenant_id = $1 order by 1`,
      [this.acme],
    );
    return rows.map(({ member }) => member);
  }
}
