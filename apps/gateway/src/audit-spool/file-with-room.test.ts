import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { FileWithRoom } from './file-with-room.js';

let folder: string;
let file: FileHandle;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-room-'));
  file = await open(path.join(folder, 'file'), 'w');
});
afterEach(async () => {
  await file.close();
  rmSync(folder, { recursive: true });
});

/** What the file holds before its zeros, and that nothing but zeros follows. */
function written(): string {
  const bytes = readFileSync(path.join(folder, 'file'));
  const end = bytes.indexOf(0);
  expect(bytes.subarray(end).every((byte) => byte === 0)).toBe(true);
  return bytes.toString('utf8', 0, end);
}

test('whatever the sizes, writes lie one after the other, and zeros after them', async () => {
  const roomy = new FileWithRoom(file);
  const texts = [1, 70_000, 200_000, 262_144, 3, 900_000, 61].map((size, at) => String(at).repeat(size));
  for (const text of texts) await roomy.write(Buffer.from(text));
  await roomy.settled();
  expect(written()).toBe(texts.join(''));
});

test('a file is as long as before when it is written: room was made before it was needed', async () => {
  const roomy = new FileWithRoom(file);
  await roomy.settled();
  const { size } = await file.stat();
  for (let line = 0; line < 100; line += 1) await roomy.write(Buffer.from('a line\n'));
  expect((await file.stat()).size).toBe(size);
});

test('a write that fails is told, and the next one takes its place', async () => {
  const roomy = new FileWithRoom(file);
  await roomy.write(Buffer.from('one\n'));
  const real = file.write.bind(file);
  const failing = jest.spyOn(file, 'write').mockImplementationOnce((async (
    bytes: Buffer,
    ...rest: [number, number, number]
  ) => {
    await real(bytes.subarray(0, 5), 0, 5, rest[2]);
    throw new Error('no space left on device');
  }) as unknown as typeof file.write); // of its many forms the one that is used
  await expect(roomy.write(Buffer.from('two is lost\n'))).rejects.toThrow('no space left');
  failing.mockRestore();
  await roomy.write(Buffer.from('three\n'));
  expect(written()).toBe('one\nthree\n');
});

test('where no room can be made, the write that needs it says why, and a later one tries again', async () => {
  const making = jest.spyOn(file, 'write').mockRejectedValue(new Error('no space left on device'));
  const roomy = new FileWithRoom(file);
  await expect(roomy.write(Buffer.from('one\n'))).rejects.toThrow('no space left');
  making.mockRestore();
  await roomy.write(Buffer.from('two\n'));
  expect(written()).toBe('two\n');
});
