import { z } from 'zod';

/** What is wrong with a package or one that it needs. */
export interface InstallProblem {
  /** Path of the package below the folder that is installed to; nothing for the one that was asked for. */
  readonly location?: string | undefined;
  readonly message: string;
}

/** Thrown for what is not installed; its problems are for whoever asked for it. */
export class InstallFault extends Error {
  override readonly name = 'InstallFault';

  constructor(readonly problems: readonly InstallProblem[]) {
    super(problems.map(({ message }) => message).join(' '));
  }
}

/** Thrown when the registry gave no answer; another time it may. */
export class RegistryUnreachable extends Error {
  override readonly name = 'RegistryUnreachable';
}

/** What of npm's errors we read. */
const npmErrorSchema = z.object({
  code: z.string(),
  pkgid: z.string().optional(),
  spec: z.unknown().optional(),
  statusCode: z.int().optional(),
  message: z.string().optional(),
  edge: z.object({ name: z.string(), spec: z.string() }).optional(),
});

/** Which one is missing stands in the sentence alone (npm-pick-manifest). */
const NO_VERSION = /^No matching version found for (\S+?)\.?(?: |$)/;
const NAME_CHARACTERS_MAX = 200;
const NOT_FETCHED = /^EALLOW(GIT|REMOTE|FILE|DIRECTORY)$/;
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const BROKEN = /^(TAR_|Z_|EBADTAR|EJSONPARSE|EINVALIDPACKAGE)/;
const SENTENCES: Readonly<Record<string, (what: string) => string>> = {
  E404: (what) => `The registry has no package ${what}. Check the name.`,
  ETARGET: (what) => `The registry has no version ${what}. Name one that it has.`,
  ENOVERSIONS: (what) => `The registry has no version of ${what}.`,
  E403: (what) => `The registry does not give out ${what}.`,
  E401: (what) => `The registry gives ${what} to those only who sign in, which is not done here.`,
  EINTEGRITY: (what) => `What the registry sent of ${what} does not have the hash that the registry names.`,
  ERESOLVE: (what) => `Its packages do not go together: no version of ${what} suits all that need it as a peer.`,
  EBADPLATFORM: (what) => `${what} is for another operating system or processor.`,
  EINVALIDPACKAGENAME: (what) => `${what} is no name of a package.`,
};

/** What an error of npm's installer means for whoever asked for a package; the error itself when it is none of those. */
export function faultOf(error: unknown, asked: string): unknown {
  const parsed = npmErrorSchema.safeParse(error);
  if (!parsed.success || error instanceof InstallFault) return error;
  const { code, statusCode = 0, message = '', pkgid, spec, edge } = parsed.data;
  const told = NO_VERSION.exec(message)?.[1] ?? pkgid ?? textOf(spec) ?? asked;
  const named = edge === undefined ? told : `${edge.name}@${edge.spec}`;
  const what = JSON.stringify(named.slice(0, NAME_CHARACTERS_MAX));
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code]?.(what) : undefined;
  if (sentence !== undefined) return new InstallFault([{ message: sentence }]);
  if (NOT_FETCHED.test(code))
    return new InstallFault([
      {
        message: `${what} is not at the registry but a repository, a URL or a file. Only packages of the registry are installed.`,
      },
    ]);
  if (FULL.has(code)) return new InstallFault([{ message: `${what} is too large to be installed here.` }]);
  if (BROKEN.test(code)) return new InstallFault([{ message: `The archive of ${what} cannot be read (${code}).` }]);
  if (statusCode >= 400 || isNetworkError(code)) return new RegistryUnreachable(code, { cause: error });
  return error;
}

function isNetworkError(code: string): boolean {
  return /^(ECONN|ETIMEDOUT|ERR_SOCKET|ENOTFOUND|EAI_|EPIPE|EIDLETIMEOUT|ERESPONSETIMEOUT|FETCH_ERROR|ERR_SSL|UNABLE_TO|SELF_SIGNED|CERT_)/.test(
    code,
  );
}

function textOf(spec: unknown): string | undefined {
  if (typeof spec === 'string') return spec;
  const raw = typeof spec === 'object' && spec !== null && 'raw' in spec ? spec.raw : undefined;
  return typeof raw === 'string' ? raw : undefined;
}
