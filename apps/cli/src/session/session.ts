import { HttpDoor, WharfApi } from '#libs/journey';
import { CliProblem } from '../problem.js';
import type { Output } from '../output/output.js';
import { Authorization, protectedResource } from './authorization.js';
import type { HeldGrant, Profile, Profiles } from './profiles.js';

/** Longer than any one command needs, shorter than a token lives. */
const SPARE_MS = 5 * 60_000;

/** What the person gave beside the command. */
export interface SessionOptions {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly profile?: string | undefined;
  /** Of an operator of the installation; no profile has one. */
  readonly operatorKey?: string | undefined;
}

/** Who we are at which installation, and the doors that opens. */
export class Session {
  private constructor(
    readonly name: string,
    readonly profile: Profile,
    private readonly profiles: Profiles,
    private readonly output: Output,
  ) {}

  /** From an API key and a URL that were given, else from the profile. @throws CliProblem where there is neither */
  static async open(options: SessionOptions, profiles: Profiles, output: Output): Promise<Session> {
    const found = await profiles.find(options.profile);
    const url = (options.url ?? found?.profile.url)?.replace(/\/+$/, '');
    if (options.apiKey !== undefined) {
      if (url === undefined) throw new CliProblem('Which installation?', 'Give its URL with --url or WHARF_URL.');
      const { slug } = await new WharfApi({ publicUrl: url, apiKey: options.apiKey }).tenant();
      return new Session(slug, { url, tenant: slug, apiKey: options.apiKey, grants: {} }, profiles, output);
    }
    if (found === undefined) {
      throw new CliProblem(
        options.profile === undefined ? 'You are not signed in.' : `There is no profile "${options.profile}".`,
        'Run `wharf login --url URL --tenant NAME`, or set WHARF_URL and WHARF_API_KEY.',
      );
    }
    return new Session(found.name, { ...found.profile, ...(url === undefined ? {} : { url }) }, profiles, output);
  }

  /** The management API, typed. */
  async api(): Promise<WharfApi> {
    return new WharfApi({ publicUrl: this.profile.url, apiKey: await this.managementBearer() });
  }

  /** The management API, raw. */
  async door(): Promise<HttpDoor> {
    return new HttpDoor(this.profile.url, await this.managementBearer());
  }

  /** What the management API takes. */
  managementBearer(): Promise<string> {
    return this.bearer(`${this.profile.url}/v1/tenants/${this.profile.tenant}`);
  }

  /** A credential for one resource; asks the person to sign in where none is held. @throws CliProblem where nobody is there */
  async bearer(resource: string): Promise<string> {
    if (this.profile.apiKey !== undefined) return this.profile.apiKey;
    const held = this.profile.grants[resource];
    if (held !== undefined && held.expiresAt - SPARE_MS > Date.now()) return held.accessToken;
    if (held?.refreshToken === undefined) this.#requirePerson(resource);
    const target = await protectedResource(resource);
    const authorization = await Authorization.of(target, this.profile.clientId);
    const refreshed =
      held?.refreshToken === undefined ? undefined : await authorization.refresh(resource, held.refreshToken);
    if (refreshed === undefined) this.#requirePerson(resource);
    const grant = refreshed ?? (await signIn(authorization, target, this.output));
    await this.#keep(authorization.clientId, resource, grant);
    return grant.accessToken;
  }

  /** Where nobody reads what to open, nobody would allow it. */
  #requirePerson(resource: string): void {
    if (this.output.personIsThere) return;
    throw new CliProblem(
      `Somebody must allow this program to use ${resource}, and there is no terminal to ask in.`,
      'Run the same command once in a terminal, without --json; its sign-in is kept. Programs set WHARF_URL and WHARF_API_KEY.',
    );
  }

  async #keep(clientId: string, resource: string, grant: HeldGrant): Promise<void> {
    this.profile.clientId = clientId;
    this.profile.grants[resource] = grant;
    await this.profiles.save(this.name, this.profile);
  }
}

/** Has a person sign in on any device, and says where. */
export function signIn(
  authorization: Authorization,
  target: Awaited<ReturnType<typeof protectedResource>>,
  output: Output,
): Promise<HeldGrant> {
  return authorization.signIn(target, ({ code, url, urlWithCode }) => {
    output.say(`\nOpen ${urlWithCode}\n(or ${url} and enter ${code}), and allow "Wharf command line".\n`);
  });
}
