import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { handmadeZip, zip64Extra, type ListedFile } from './hostile-zip.fixture.js';
import { ArchiveReader } from './index.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hostile-list-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function opened(zip: Buffer): Promise<unknown> {
  const file = path.join(folder, 'archive.zip');
  await writeFile(file, zip);
  return ArchiveReader.open({ path: file }, []);
}

const many = (about: Omit<ListedFile, 'name'>): ListedFile[] =>
  Array.from({ length: 600 }, (_, at) => ({ ...about, name: `blobs/${at}` }));
/** An extra field that nobody knows, as long as one may be. */
const padding = Buffer.alloc(65_535);
padding.writeUInt16LE(0x9999, 0);
padding.writeUInt16LE(padding.length - 4, 2);
const one = { name: 'manifest.jws', content: 'x' };
const bytesOf = ({ name, content }: typeof one): number => 30 + name.length + content.length;

test.each<[string, Buffer, RegExp]>([
  [
    'huge comments',
    handmadeZip(many({ comment: Buffer.alloc(65_535) })),
    /list of the archive’s files takes more than/,
  ],
  ['huge extra fields', handmadeZip(many({ extra: padding })), /list of the archive’s files takes more than/],
  [
    'two files over the same bytes',
    handmadeZip([one, { name: 'blobs/0', content: 'y', offset: 0 }]),
    /share bytes, or lie beyond its end/,
  ],
  [
    'a file that ends within the next one',
    handmadeZip([
      { ...one, size: bytesOf(one) + 20 },
      { name: 'blobs/0', content: 'y'.repeat(100) },
    ]),
    /share bytes, or lie beyond its end/,
  ],
  ['a file beyond its end', handmadeZip([{ ...one, offset: 1_000_000 }]), /share bytes, or lie beyond its end/],
  [
    'a file whose ZIP64 size is far larger than it',
    handmadeZip([{ ...one, size: 0xffffffff, extra: zip64Extra(2n ** 50n) }]),
    /share bytes, or lie beyond its end/,
  ],
  ['more files than it holds in ZIP64', handmadeZip([one], { count: 2n ** 40n }), /more than 100001 files/],
  ['one file too many in ZIP64', handmadeZip([one], { count: 2n }), /cannot be read/],
])('an archive whose list has %s is refused before anything of it is unpacked', async (_, zip, sentence) => {
  await expect(opened(zip)).rejects.toThrow(sentence);
});

test('a list that is written by hand and honest is read, up to its signature', async () => {
  await expect(opened(handmadeZip([one, { name: 'blobs/0', content: 'y' }]))).rejects.not.toThrow(/list|share|read/);
});
