import path from 'node:path';
import { sha256Digest } from '#libs/protocol';
import type { CallerLink } from '../peer/caller-link.js';
import type { Peer } from '../peer/peer.js';
import { unpackArchive } from '../bundles/archive.js';
import { Outlet } from '../stdio/outlet.js';
import { holdSecret, plainText, type StartPlaces } from '../stdio/start-texts.js';
import { StdioServer } from '../stdio/stdio-server.js';
import type { HostedServer } from './hosted-server.js';

/** For whom a server is started. */
export interface StartFor {
  readonly link: CallerLink | undefined;
  readonly era: Peer['era'];
  /** Hears that the process ended although nobody stopped it. */
  readonly onCrash: () => void;
}

/** What starting a worker's third-party servers needs: their archives, unpacked once, their secrets and their way out. */
export class ServerStarts {
  readonly #root = process.cwd();
  readonly #folders = new Map<string, Promise<string>>();
  readonly #outlet = new Outlet(endWorker);
  #secrets: Readonly<Record<string, string>> = {};
  #last = 0;

  /** Takes the values that servers are started with from now on. */
  takeSecrets(values: Readonly<Record<string, string>>): void {
    this.#secrets = values;
  }

  /** Takes an archive, once. */
  unpack(digest: string, archive: Buffer): void {
    const folder = path.join(this.#root, `bundle-${++this.#last}`);
    const unpacked =
      sha256Digest(archive) === digest
        ? unpackArchive(archive, folder).then(() => folder)
        : Promise.reject(new Error('an archive does not match its digest'));
    unpacked.catch((error: unknown) => logFailure('bundle not unpacked', error));
    this.#folders.set(digest, unpacked);
  }

  /** Starts a server. @throws Error when it does not come up; MissingSecret */
  async start({ digest, bundle, origins }: HostedServer, { link, era, onCrash }: StartFor): Promise<StdioServer> {
    const folder = await this.#folders.get(bundle.artefact);
    if (folder === undefined) throw new Error('the archive of the bundle is missing');
    const home = path.join(this.#root, `home-${++this.#last}`);
    const places: StartPlaces = { bundle: folder, home, secrets: this.#secrets };
    const { entryPoint, args = [], env = {} } = bundle;
    return StdioServer.start({
      folder,
      entryPoint,
      era,
      home,
      onCrash,
      link,
      args: args.map((text) => plainText(text, places)),
      argsAreSecret: holdSecret(args),
      env: {
        ...Object.fromEntries(Object.entries(env).map(([name, text]) => [name, plainText(text, places)])),
        ...(await this.#outlet.environmentFor(digest, origins)),
      },
    });
  }
}

/** A worker without its way out is of no use any more: the next call starts another. */
function endWorker(): void {
  process.stderr.write(`${JSON.stringify({ level: 'error', message: 'the way out of this worker has ended' })}\n`);
  process.exit(1);
}

/** Tells the worker's log what went wrong with a third-party server; the runtime takes secrets out, then cuts it. */
export function logFailure(message: string, error: unknown): void {
  process.stderr.write(`${JSON.stringify({ level: 'error', message, error: String(error) })}\n`);
}
