import { HttpDoor, WharfApi } from '#libs/journey';
import { CliProblem } from '../problem.js';
import type { Output } from '../output/output.js';
import { Authorization, protectedResource } from './authorization.js';
import { installationUrl } from './installation-url.js';
import type { HeldGrant, Profile, Profiles } from './profiles.js';

/** Longer than any one command needs, shorter than a token lives. */
const SPARE_MS = 5 * 60_000;

/** What was given beside the command: on its line, and in its environment. */
export interface SessionOptions {
  readonly url?: string | undefined;
  readonly profile?: string | undefined;
  readonly environment: {
    readonly url?: string | undefined;
    readonly apiKey?: string | undefined;
    /** Of an operator of the installation; no profile has one. */
    readonly operatorKey?: string | undefined;
    readonly profile?: string | undefined;
  };
}

/** Who we are at which installation, and the doors that opens. */
export class Session {
  private constructor(
    readonly name: string,
    readonly profile: Profile,
    private readonly profiles: Profiles,
    private readonly output: Output,
  ) {}

  /**
   * From the profile that the line names, else from the environment's key and URL, else from the profile of the
   * environment or the current one. No credential goes to another installation than it was given or kept for.
   *
   * @throws CliProblem where there is none, or where the URLs differ
   */
  static async open(options: SessionOptions, profiles: Profiles, output: Output): Promise<Session> {
    const { url, profile: named, environment } = options;
    if (named === undefined && environment.apiKey !== undefined) {
      const given = { url: urlOfKey(url, environment.url), apiKey: environment.apiKey };
      const { slug } = await new WharfApi({ publicUrl: given.url, apiKey: given.apiKey }).tenant();
      return new Session(slug, { ...given, tenant: slug, grants: {} }, profiles, output);
    }
    const wanted = named ?? environment.profile;
    const found = await profiles.find(wanted);
    if (found === undefined) {
      throw new CliProblem(
        wanted === undefined ? 'You are not signed in.' : `There is no profile "${wanted}".`,
        'Run `wharf login --url URL --tenant NAME`, or set WHARF_URL and WHARF_API_KEY.',
      );
    }
    // Whoever names a profile on the line means it, whatever the environment was set up for.
    const asked = url ?? (named === undefined ? environment.url : undefined);
    requireSameInstallation(found, asked, url === undefined ? 'WHARF_URL' : '--url');
    return new Session(found.name, found.profile, profiles, output);
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
    return this.bearer(resourcesOf(this.profile).management);
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

/** Where the environment's key is used. @throws CliProblem where nobody says it, or the line says another than the environment */
function urlOfKey(line: string | undefined, environment: string | undefined): string {
  const given = line ?? environment;
  if (given === undefined)
    throw new CliProblem('Which installation is WHARF_API_KEY for?', 'Give its URL with WHARF_URL or --url.');
  const url = installationUrl(given);
  if (environment === undefined || installationUrl(environment) === url) return url;
  throw new CliProblem(
    `WHARF_API_KEY is for ${environment}, and --url names ${given}: it is sent to neither.`,
    'Unset one of them, or name a profile with --profile.',
  );
}

/** @throws CliProblem where a profile was kept for another installation than the one that is asked for */
function requireSameInstallation(
  { name, profile }: { readonly name: string; readonly profile: Profile },
  asked: string | undefined,
  by: string,
): void {
  if (asked === undefined || installationUrl(asked) === installationUrl(profile.url)) return;
  throw new CliProblem(
    `The profile "${name}" is for ${profile.url}, and ${by} names ${asked}: nothing was sent.`,
    `Name another profile with --profile, leave ${by} away, or sign in there with \`wharf login --url ${asked}\`.`,
  );
}

/** What a person signs in to (RFC 8707): the management API, or the URL at which agents call. */
export function resourcesOf({ url, tenant }: Pick<Profile, 'url' | 'tenant'>): {
  readonly management: string;
  readonly calls: string;
} {
  return { management: `${url}/v1/tenants/${tenant}`, calls: `${url}/t/${tenant}/mcp` };
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
