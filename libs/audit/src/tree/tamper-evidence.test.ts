import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { leafHash, MerkleTree, publicKeyBytes, signCheckpoint, verifierKey } from '../index.js';

const folder = mkdtempSync(join(tmpdir(), 'wharf-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ORIGIN = 'wharf.test/audit/a';
const { privateKey } = generateKeyPairSync('ed25519');
const leaves = Array.from({ length: 20 }, (_, index) => leafHash(`leaf ${index}`));
const node = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();

/** RFC 9162, section 2.1.3.2. */
function rootByInclusion(index: number, size: number, leaf: Buffer, proof: readonly Buffer[]): Buffer {
  let [fn, sn, root] = [index, size - 1, leaf];
  for (const item of proof) {
    if (fn % 2 === 1 || fn === sn) {
      root = node(item, root);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else root = node(root, item);
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  expect(sn).toBe(0);
  return root;
}

/** RFC 9162, section 2.1.4.2. */
function rootsByConsistency(from: number, to: number, known: Buffer, proof: readonly Buffer[]): [Buffer, Buffer] {
  if (from === to) return [known, known];
  const path = (from & (from - 1)) === 0 ? [known, ...proof] : [...proof];
  let [fn, sn] = [from - 1, to - 1];
  while (fn % 2 === 1) [fn, sn] = [fn >> 1, sn >> 1];
  let [old, grown] = [path[0] ?? known, path[0] ?? known];
  for (const item of path.slice(1)) {
    if (fn % 2 === 1 || fn === sn) {
      [old, grown] = [node(item, old), node(item, grown)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else grown = node(grown, item);
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  expect(sn).toBe(0);
  return [old, grown];
}

/** A tree that keeps its tiles in memory. */
async function treeOf(hashes: readonly Buffer[]): Promise<MerkleTree> {
  return (await new MerkleTree(0, async () => Buffer.alloc(0)).grow(hashes)).tree;
}
const rootOf = async (hashes: readonly Buffer[]): Promise<Buffer> => (await treeOf(hashes)).root();

test('the tree has the roots of the published vectors of 0 to 8 leaves', async () => {
  const published = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const known = published.map((hex) => leafHash(Buffer.from(hex, 'hex')));
  const roots = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8].map((size) => rootOf(known.slice(0, size))));
  expect(roots.map((root) => root.toString('hex'))).toEqual([
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]);
});

test('inclusion and consistency are proved for every tree of up to 20 leaves', async () => {
  for (let size = 1; size <= 20; size += 1) {
    const tree = await treeOf(leaves.slice(0, size));
    for (const [index, leaf] of leaves.slice(0, size).entries())
      expect(rootByInclusion(index, size, leaf, await tree.inclusionProof(index))).toEqual(await tree.root());
    for (let from = 1; from <= size; from += 1) {
      const old = await rootOf(leaves.slice(0, from));
      expect(await tree.rootAt(from)).toEqual(old);
      expect(rootsByConsistency(from, size, old, await tree.consistencyProof(from))).toEqual([old, await tree.root()]);
    }
  }
  const tree = await treeOf(leaves);
  await expect(tree.inclusionProof(20)).rejects.toThrow(RangeError);
  await expect(tree.consistencyProof(0)).rejects.toThrow(RangeError);
  await expect(tree.consistencyProof(21)).rejects.toThrow(RangeError);
});

test('a tree that grows by any steps over many tiles has the root and the proofs of one that was built at once', async () => {
  const many = Array.from({ length: 66_500 }, (_, index) => leafHash(`leaf ${index}`));
  const stored = new Map<string, Buffer>();
  const read = async (level: number, index: number) => stored.get(`${level}/${index}`) ?? Buffer.alloc(0);
  let grown = new MerkleTree(0, read);
  for (const step of [1, 254, 1, 1, 255, 256, 257, 64_511, 900, 64]) {
    const { tiles, tree } = await grown.grow(many.slice(grown.size, grown.size + step));
    for (const { level, index, hashes } of tiles) stored.set(`${level}/${index}`, Buffer.from(hashes));
    grown = new MerkleTree(tree.size, read);
    expect(await grown.root()).toEqual(frontierRoot(many.slice(0, grown.size)));
  }
  expect(grown.size).toBe(66_500);
  const root = await grown.root();
  for (const index of [0, 255, 256, 65_535, 65_536, 66_499])
    expect(rootByInclusion(index, grown.size, many[index] ?? root, await grown.inclusionProof(index))).toEqual(root);
  for (const from of [1, 255, 256, 257, 65_535, 65_536, 65_537, 66_499]) {
    const old = frontierRoot(many.slice(0, from));
    expect(rootsByConsistency(from, grown.size, old, await grown.consistencyProof(from))).toEqual([old, root]);
  }
});

/** The root by another way: perfect subtrees merged as leaves come, folded from the right. */
function frontierRoot(hashes: readonly Buffer[]): Buffer {
  const frontier: Array<{ size: number; hash: Buffer }> = [];
  for (const hash of hashes) {
    let next = { size: 1, hash };
    for (let left = frontier.at(-1); left?.size === next.size; left = frontier.at(-1)) {
      frontier.pop();
      next = { size: next.size * 2, hash: node(left.hash, next.hash) };
    }
    frontier.push(next);
  }
  return frontier.map(({ hash }) => hash).reduceRight((right, left) => node(left, right));
}

const texts = Array.from({ length: 10 }, (_, index) => `record ${index}`);
const bytesOf = (text: string): string => `{"details":{"a":1,"b":[true,null]},"event":"${text}"}`;
const exported = (events: readonly string[]): string[] =>
  events.map((event, index) => {
    const hash = leafHash(bytesOf(event)).toString('base64');
    return JSON.stringify({
      leaf_index: index,
      leaf_hash: hash,
      record: { event, details: { b: [true, null], a: 1 } },
    });
  });
const noteOf = (treeSize: number): string =>
  signCheckpoint(
    {
      origin: ORIGIN,
      treeSize,
      rootHash: frontierRoot(texts.slice(0, treeSize).map((text) => leafHash(bytesOf(text)))),
    },
    privateKey,
  );

function verified(
  lines: readonly string[],
  notes = [noteOf(4), noteOf(10)],
  key = verifierKey(ORIGIN, publicKeyBytes(privateKey)),
) {
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };
  const files = [write('key', key), write('export', lines.map((line) => `${line}\n`).join(''))];
  const kept = notes.map((note, index) => write(`note-${index}`, note));
  const command = [join(process.cwd(), 'bin/wharf-verify.mjs'), ...files, ...kept];
  const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  return `${run.status} ${run.stdout}${run.stderr}`.trim();
}

test('wharf-verify accepts an export that agrees with the kept checkpoints', () => {
  expect(verified(exported(texts))).toBe('0 10 records agree with 2 checkpoints');
});

test('wharf-verify names the position of what was edited, deleted, reordered, inserted or cut off', () => {
  const lines = exported(texts);
  expect(verified(lines.with(5, (lines[5] ?? '').replace('record 5', 'record x')))).toMatch(/^1 DIFFERENT position 5:/);
  expect(verified(lines.toSpliced(3, 1))).toMatch(/^1 DIFFERENT position 3:/);
  expect(verified(lines.with(2, lines[3] ?? '').with(3, lines[2] ?? ''))).toMatch(/^1 DIFFERENT position 2:/);
  expect(verified(lines.toSpliced(7, 0, lines[6] ?? ''))).toMatch(/^1 DIFFERENT position 7:/);
  expect(verified(lines.slice(0, 8))).toMatch(/^1 DIFFERENT position 8:/);
});

test('wharf-verify names the checkpoints between which history and tree were rewritten together', () => {
  expect(verified(exported(texts.with(6, 'forged')))).toMatch(/^1 DIFFERENT positions 4 to 9:/);
  expect(verified(exported(texts.with(1, 'forged')))).toMatch(/^1 DIFFERENT positions 0 to 3:/);
  expect(verified(exported(texts.toSpliced(6, 0, 'forged')))).toMatch(/^1 DIFFERENT positions 4 to 9:/);
  expect(verified(exported(texts.toSpliced(6, 1)))).toMatch(/^1 DIFFERENT position 9: .* nothing from 4 is proved/);
});

test('wharf-verify refuses a checkpoint that another key signed or that was changed', () => {
  const other = verifierKey(ORIGIN, publicKeyBytes(generateKeyPairSync('ed25519').privateKey));
  expect(verified(exported(texts), [noteOf(10)], other)).toMatch(/no signature/);
  expect(verified(exported(texts), [noteOf(10).replace('\n10\n', '\n11\n')])).toMatch(/no signature/);
  expect(verified([...exported(texts), ...exported([...texts, 'new']).slice(10)])).toMatch(
    /position 10: no checkpoint/,
  );
});
