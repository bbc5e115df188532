import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A package as a test wants it published. */
export interface PublishedPackage {
  readonly name: string;
  readonly version?: string;
  /** What stands in its package.json beside name and version. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Text by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the registry says of its archive, in place of the truth. */
  readonly dist?: Readonly<Record<string, unknown>>;
}

/** A registry of npm packages on the loopback. */
export interface NpmRegistry {
  readonly url: string;
  /** Paths that were asked for. */
  readonly seen: string[];
  /** Publishes a package, in place of one with its name and version. */
  publish(published: PublishedPackage): void;
  /** What it has as the archive of a package. */
  archiveOf(name: string, version?: string): Buffer;
  stop(): Promise<void>;
}

interface Stored {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly archive: Buffer;
}

const VERSION = '1.0.0';

/** Starts a registry that serves packages as npm packs them (npm, "package-metadata.md" and archives). */
export async function startNpmRegistry(packages: readonly PublishedPackage[] = []): Promise<NpmRegistry> {
  const stored = new Map<string, Map<string, Stored>>();
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(URL.parse(request.url ?? '', 'http://registry')?.pathname ?? '').slice(1);
    seen.push(asked);
    const [name = '', file] = asked.split('/-/');
    const versions = stored.get(name);
    const archive = file === undefined ? undefined : versions?.get(file.slice(0, -'.tgz'.length))?.archive;
    if (archive !== undefined) response.end(archive);
    else if (versions !== undefined && file === undefined)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(packument(name, versions, url)));
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address
  const publish = (published: PublishedPackage): void => {
    const { name, version = VERSION, manifest = {}, files = {}, dist = {} } = published;
    const archive = packed({ name, version, ...manifest }, files);
    const versions = stored.get(name) ?? new Map<string, Stored>();
    stored.set(name, versions.set(version, { manifest: { name, version, ...manifest, dist }, archive }));
  };
  for (const published of packages) publish(published);
  return {
    url,
    seen,
    publish,
    archiveOf: (name, version = VERSION) => {
      const found = stored.get(name)?.get(version);
      if (found === undefined) throw new Error(`${name}@${version} was not published`);
      return found.archive;
    },
    stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

function packument(name: string, versions: ReadonlyMap<string, Stored>, url: string): object {
  const listed = [...versions].map(([version, { manifest, archive }]) => {
    const truth = {
      tarball: `${url}/${name}/-/${version}.tgz`,
      integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
      shasum: createHash('sha1').update(archive).digest('hex'),
    };
    const given = typeof manifest['dist'] === 'object' ? manifest['dist'] : {};
    return [version, { ...manifest, dist: { ...truth, ...given } }] as const;
  });
  return { name, 'dist-tags': { latest: [...versions.keys()].at(-1) }, versions: Object.fromEntries(listed) };
}

/** The archive that `npm pack` makes. */
function packed(manifest: object, files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries({ 'package.json': JSON.stringify(manifest), ...files });
  return gzipSync(tarOf(entries.map(([name, text]) => [`package/${name}`, text] as const)));
}

const BLOCK_BYTES = 512;
const MODE = 0o644;

/** A tar archive of text files (POSIX.1-1988, ustar). */
function tarOf(entries: ReadonlyArray<readonly [name: string, text: string]>): Buffer {
  const blocks = entries.flatMap(([name, text]) => {
    const content = Buffer.from(text);
    const header = Buffer.alloc(BLOCK_BYTES);
    const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
    header.write(name, 0);
    header.write(`${octal(MODE, 7)}${octal(0, 7)}${octal(0, 7)}${octal(content.length, 11)}${octal(0, 11)}`, 100);
    header.write('        0', 148); // the checksum counts as spaces; a regular file
    header.write('ustar\u000000', 257);
    const checksum = header.reduce((sum, byte) => sum + byte, 0);
    header.write(`${octal(checksum, 6)} `, 148);
    return [header, content, Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}
