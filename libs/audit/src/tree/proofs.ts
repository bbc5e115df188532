import type { MerkleTree } from './merkle-tree.js';

/** That a record is in a tree, in base64 (RFC 9162, section 2.1.3). */
export interface InclusionProof {
  readonly leaf_index: number;
  readonly leaf_hash: string;
  readonly size: number;
  readonly root: string;
  readonly proof: string[];
}

/** That a tree only grew between two sizes, in base64 (RFC 9162, section 2.1.4). */
export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  readonly from_root: string;
  readonly to_root: string;
  readonly proof: string[];
}

const base64 = (hash: Buffer): string => hash.toString('base64');

/** Proves that the tree has a leaf. @throws RangeError where it does not */
export async function inclusionOf(tree: MerkleTree, leaf: number): Promise<InclusionProof> {
  return {
    leaf_index: leaf,
    leaf_hash: base64(await tree.leaf(leaf)),
    size: tree.size,
    root: base64(await tree.root()),
    proof: (await tree.inclusionProof(leaf)).map(base64),
  };
}

/** Proves that the tree had its first `from` leaves when it had no more. @throws RangeError for a size that it never had */
export async function consistencyOf(tree: MerkleTree, from: number): Promise<ConsistencyProof> {
  const [fromRoot, toRoot, proof] = [await tree.rootAt(from), await tree.root(), await tree.consistencyProof(from)];
  return { from, to: tree.size, from_root: base64(fromRoot), to_root: base64(toRoot), proof: proof.map(base64) };
}
