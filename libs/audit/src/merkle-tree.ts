import { createHash } from 'node:crypto';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of one leaf: SHA-256 of 0x00 and its bytes (RFC 9162, section 2.1.1). */
export function leafHash(leaf: string | Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(leaf).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/** The largest power of two below a size of two or more. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The root over leaf hashes; of none, the hash of nothing (RFC 9162, section 2.1.1). */
export function treeRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/** Proves that the leaf at an index is in the tree (RFC 9162, section 2.1.3.1). @throws RangeError outside the tree */
export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError(`leaf ${index} is not in a tree of ${leaves.length}`);
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(left, index), treeRoot(right)]
    : [...inclusionProof(right, index - split), treeRoot(left)];
}

/** Proves that the tree only grew since it had `from` leaves (RFC 9162, section 2.1.4.1). @throws RangeError outside 1..size */
export function consistencyProof(leaves: readonly Buffer[], from: number): Buffer[] {
  if (!Number.isInteger(from) || from < 1 || from > leaves.length)
    throw new RangeError(`a tree of ${leaves.length} never had ${from} leaves that a proof can start from`);
  return growth(leaves, from, 'known');
}

function growth(leaves: readonly Buffer[], from: number, root: 'known' | 'unknown'): Buffer[] {
  if (from === leaves.length) return root === 'known' ? [] : [treeRoot(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return from <= split
    ? [...growth(left, from, root), treeRoot(right)]
    : [...growth(right, from - split, 'unknown'), treeRoot(left)];
}
