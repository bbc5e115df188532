import { createHash, hash } from 'node:crypto';

const LEAF = Uint8Array.of(0);
const NODE = 1;
/** How long a hash is. */
export const HASH_BYTES = 32;
/** A tile holds up to 2^8 hashes of one level, which stand for subtrees of 2^(8 × level) leaves (C2SP tlog-tiles). */
const TILE_HEIGHT = 8;

/** How many hashes a full tile holds. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** Reads a tile: its hashes one after the other, 32 bytes each, as many as there are. */
export type TileReader = (level: number, index: number) => Promise<Uint8Array>;

/** A tile as it is after leaves were added. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

/** The hash of one leaf: SHA-256 of 0x00 and its bytes (RFC 9162, section 2.1.1). */
export function leafHash(leaf: string | Uint8Array): Buffer {
  // A text goes in at once, which takes half the time; U+0000 is the byte 0x00.
  if (typeof leaf === 'string') return sha256(`\0${leaf}`);
  return createHash('sha256').update(LEAF).update(leaf).digest();
}

const pair = Buffer.alloc(1 + 2 * 32, NODE);

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}

/** By way of a text of a character for each byte: a buffer of its own for each hash takes twice the time. */
function sha256(bytes: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** The largest power of two below a size of two or more. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

/**
 * A tree of records that only grows, kept as tiles (RFC 9162 hashing, C2SP tlog-tiles). Sizes and indices are below
 * 2^40, so that they are exact numbers. Every tile is read once at most.
 */
export class MerkleTree {
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  constructor(
    readonly size: number,
    private readonly readTile: TileReader,
  ) {}

  /** The root; of no leaves, the hash of nothing (RFC 9162, section 2.1.1). */
  root(): Promise<Buffer> {
    return this.size === 0 ? Promise.resolve(createHash('sha256').digest()) : this.#hash(0, this.size);
  }

  /** The root that the tree had with fewer leaves. @throws RangeError for a size it never had */
  rootAt(size: number): Promise<Buffer> {
    this.#requireSize(size);
    return new MerkleTree(size, (level, index) => this.#tile(level, index)).root();
  }

  /** The hash of a leaf that is in the tree. */
  leaf(index: number): Promise<Buffer> {
    return this.#perfect(index, 1);
  }

  /** The roots of the perfect subtrees, largest first, that the first `size` leaves make: all that is needed to go on from there. */
  async frontier(size: number): Promise<Buffer[]> {
    this.#requireSize(size);
    const roots: Array<Promise<Buffer>> = [];
    for (let start = 0; start < size;) {
      const count = 2 ** Math.floor(Math.log2(size - start));
      roots.push(this.#perfect(start, count));
      start += count;
    }
    return Promise.all(roots);
  }

  /** Proves that the leaf at an index is in the tree (RFC 9162, section 2.1.3.1). @throws RangeError outside the tree */
  async inclusionProof(leaf: number): Promise<Buffer[]> {
    if (!Number.isInteger(leaf) || leaf < 0 || leaf >= this.size)
      throw new RangeError(`Leaf ${leaf} is not in a tree of ${this.size}.`);
    const proof: Array<Promise<Buffer>> = [];
    let [start, end] = [0, this.size];
    while (end - start > 1) {
      const middle = start + splitOf(end - start);
      const goesLeft = leaf < middle;
      proof.push(goesLeft ? this.#hash(middle, end) : this.#hash(start, middle));
      [start, end] = goesLeft ? [start, middle] : [middle, end];
    }
    return (await Promise.all(proof)).toReversed();
  }

  /** Proves that the tree only grew since it had `from` leaves (RFC 9162, section 2.1.4.1). @throws RangeError outside 1 to its size */
  async consistencyProof(from: number): Promise<Buffer[]> {
    if (from === 0) throw new RangeError('A proof starts from a tree of at least one leaf.');
    this.#requireSize(from);
    const proof: Array<Promise<Buffer>> = [];
    let [start, end] = [0, this.size];
    let holdsOldRoot = true;
    while (from !== end) {
      const middle = start + splitOf(end - start);
      const goesLeft = from <= middle;
      proof.push(goesLeft ? this.#hash(middle, end) : this.#hash(start, middle));
      holdsOldRoot &&= goesLeft;
      [start, end] = goesLeft ? [start, middle] : [middle, end];
    }
    if (!holdsOldRoot) proof.push(this.#hash(start, end));
    return (await Promise.all(proof)).toReversed();
  }

  /** The tiles that change when leaves are added; `rootAfter` is the tree with them. */
  async grow(leaves: readonly Uint8Array[]): Promise<{ readonly tiles: readonly Tile[]; readonly tree: MerkleTree }> {
    const tiles: Tile[] = [];
    let added = leaves;
    let width = this.size;
    for (let level = 0; added.length > 0; level += 1) {
      const changed = await this.#extend(level, width, added);
      tiles.push(...changed);
      added = changed
        .filter(({ hashes }) => hashes.length === TILE_WIDTH * HASH_BYTES)
        .map(({ hashes }) => perfect(hashes));
      width = Math.floor(width / TILE_WIDTH);
    }
    const grown = new Map(tiles.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
    const read: TileReader = async (level, index) => grown.get(`${level}/${index}`) ?? this.#tile(level, index);
    return { tiles, tree: new MerkleTree(this.size + leaves.length, read) };
  }

  async #extend(level: number, width: number, added: readonly Uint8Array[]): Promise<Tile[]> {
    const first = Math.floor(width / TILE_WIDTH);
    const held =
      width % TILE_WIDTH === 0 ? [] : [(await this.#tile(level, first)).subarray(0, (width % TILE_WIDTH) * HASH_BYTES)];
    const all = Buffer.concat([...held, ...added]);
    const tiles: Tile[] = [];
    for (let at = 0; at < all.length; at += TILE_WIDTH * HASH_BYTES)
      tiles.push({ level, index: first + tiles.length, hashes: all.subarray(at, at + TILE_WIDTH * HASH_BYTES) });
    return tiles;
  }

  #requireSize(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.size)
      throw new RangeError(`A tree of ${this.size} leaves never had ${size}.`);
  }

  /** The hash over the leaves from `start` to before `end`, a range that the tree's own splits make. */
  async #hash(start: number, end: number): Promise<Buffer> {
    const count = end - start;
    if (Number.isInteger(Math.log2(count))) return this.#perfect(start, count);
    const middle = start + splitOf(count);
    return nodeHash(await this.#perfect(start, middle - start), await this.#hash(middle, end));
  }

  async #perfect(start: number, count: number): Promise<Buffer> {
    const level = Math.floor(Math.log2(count) / TILE_HEIGHT);
    const span = 2 ** (TILE_HEIGHT * level);
    const [first, hashes] = [start / span, count / span];
    const tile = await this.#tile(level, Math.floor(first / TILE_WIDTH));
    const at = (first % TILE_WIDTH) * HASH_BYTES;
    return perfect(tile.subarray(at, at + hashes * HASH_BYTES));
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    let tile = this.#tiles.get(key);
    if (tile === undefined) this.#tiles.set(key, (tile = this.readTile(level, index)));
    return tile;
  }
}

/** The root over a power of two of hashes. */
function perfect(hashes: Uint8Array): Buffer {
  let level = Buffer.from(hashes);
  while (level.length > HASH_BYTES) {
    const above = Buffer.alloc(level.length / 2);
    for (let at = 0; at < above.length; at += HASH_BYTES)
      nodeHash(
        level.subarray(2 * at, 2 * at + HASH_BYTES),
        level.subarray(2 * at + HASH_BYTES, 2 * at + 2 * HASH_BYTES),
      ).copy(above, at);
    level = above;
  }
  return level;
}
