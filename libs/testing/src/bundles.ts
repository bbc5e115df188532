import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of an archive, as a test wants it, sound or not. */
export interface ArchiveEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Unix mode with its kind of file; a regular file without it. */
  readonly mode?: number;
}

const REGULAR = 0o100644;
/** Version made by: Unix, 3.0; needed to read: 2.0 (APPNOTE.TXT, 4.4.2 and 4.4.3). */
const MADE_BY = 0x031e;
const NEEDS = 20;
const DEFLATED = 8;
const UTF8_NAMES = 0x0800;

/** A zip archive of these entries (APPNOTE.TXT, 4.3). */
export function zipOf(entries: readonly ArchiveEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', mode = REGULAR } of entries) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const title = Buffer.from(name);
    const shared = Buffer.alloc(26);
    [NEEDS, UTF8_NAMES, DEFLATED].forEach((value, index) => shared.writeUInt16LE(value, index * 2));
    [crc32(bytes), packed.length, bytes.length].forEach((value, index) => shared.writeUInt32LE(value, 10 + index * 4));
    shared.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([signature(0x04034b50), shared, title, packed]);
    const central = Buffer.alloc(14);
    central.writeUInt32LE((mode << 16) >>> 0, 6);
    central.writeUInt32LE(offset, 10);
    directory.push(signature(0x02014b50), shortOf(MADE_BY), shared, central, title);
    files.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, listed, signature(0x06054b50), end]);
}

/** A bundle manifest's text. */
export function bundleManifest(extra: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    manifest_version: '0.3',
    name: 'test-bundle',
    display_name: 'Test bundle',
    version: '1.2.3',
    description: 'A server for tests.',
    author: { name: 'Wharf' },
    server: {
      type: 'node',
      entry_point: 'server/index.mjs',
      mcp_config: { command: 'node', args: ['${__dirname}/server/index.mjs'] },
    },
    ...extra,
  });
}

/** An MCP bundle: a manifest, the server (one module, or files), and its dependencies: the v2 SDK, and more where it needs them. */
export function packBundle(
  server: string | readonly ArchiveEntry[],
  manifest = bundleManifest(),
  more: readonly string[] = [],
): Buffer {
  const packages = ['@modelcontextprotocol/server', '@modelcontextprotocol/core', 'zod', ...more];
  return zipOf([
    { name: 'manifest.json', content: manifest },
    ...(typeof server === 'string' ? [{ name: 'server/index.mjs', content: server }] : server),
    ...packages.flatMap(modulesOf),
  ]);
}

function modulesOf(name: string): ArchiveEntry[] {
  const root = path.resolve('node_modules', name);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(mjs|js)$|^package\.json$|\/package\.json$/.test(file))
    .map((file) => ({ name: `node_modules/${name}/${file}`, content: readFileSync(path.join(root, file)) }));
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function shortOf(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
