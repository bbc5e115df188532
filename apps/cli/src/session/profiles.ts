import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CliProblem } from '../problem.js';

/** Tokens for one resource (RFC 8707): a token of the management API is worth nothing at a tenant URL. */
const grantSchema = z.object({
  accessToken: z.string(),
  /** Milliseconds since 1970. */
  expiresAt: z.number(),
  refreshToken: z.string().optional(),
});
export type HeldGrant = z.infer<typeof grantSchema>;

const profileSchema = z.object({
  url: z.url(),
  tenant: z.string(),
  apiKey: z.string().optional(),
  clientId: z.string().optional(),
  /** By resource. */
  grants: z.record(z.string(), grantSchema).default({}),
});

/** One tenant at one installation, and how we get in. */
export type Profile = z.infer<typeof profileSchema>;

const fileSchema = z.object({ current: z.string().optional(), profiles: z.record(z.string(), profileSchema) });
type ProfileFile = z.infer<typeof fileSchema>;

/** The profiles of this person, in one file that nobody else can read. */
export class Profiles {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = path.join(folder, 'profiles.json');
  }

  /** The named profile, or the one that was signed in last. */
  async find(name?: string): Promise<{ readonly name: string; readonly profile: Profile } | undefined> {
    const { current, profiles } = await this.#read();
    const wanted = name ?? current;
    const profile = wanted === undefined ? undefined : profiles[wanted];
    return wanted === undefined || profile === undefined ? undefined : { name: wanted, profile };
  }

  /** What they are called. */
  async names(): Promise<string[]> {
    return Object.keys((await this.#read()).profiles);
  }

  /** Keeps a profile and makes it the current one. */
  async save(name: string, profile: Profile): Promise<void> {
    const { profiles } = await this.#read();
    await this.#write({ current: name, profiles: { ...profiles, [name]: profile } });
  }

  /** Forgets a profile; whether there was one. */
  async remove(name: string): Promise<boolean> {
    const { current, profiles } = await this.#read();
    const { [name]: removed, ...others } = profiles;
    const left = current === name ? Object.keys(others)[0] : current;
    await this.#write({ ...(left === undefined ? {} : { current: left }), profiles: others });
    return removed !== undefined;
  }

  async #read(): Promise<ProfileFile> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new CliProblem(`${this.#file} cannot be read: ${error.message}`);
    });
    if (text === undefined) return { profiles: {} };
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new CliProblem(`${this.#file} is not what this program wrote.`, 'Delete it and sign in again.', { cause });
    }
  }

  /** Written beside and renamed, so that a crash leaves the old file or the new one. */
  async #write(file: ProfileFile): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const next = `${this.#file}.${process.pid}`;
    await writeFile(next, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 });
    await chmod(next, 0o600);
    await rename(next, this.#file);
  }
}
