import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';

const ED25519 = Uint8Array.of(1);

/** What a checkpoint says of a tree. */
export interface Checkpoint {
  /** Names the log, for example `wharf.example/audit/{tenant}`; also the name of the key. */
  readonly origin: string;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
}

/** The name of a tenant's log at an installation. */
export function checkpointOrigin(publicUrl: URL, tenantId: string): string {
  return `${publicUrl.host}/audit/${tenantId}`;
}

/** The 32 bytes of an Ed25519 public key, of a private or a public key object. */
export function publicKeyBytes(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
}

function keyIdOf(name: string, publicKey: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(ED25519).update(publicKey).digest().subarray(0, 4);
}

/** The verifier key for a name and the bytes of an Ed25519 public key: `{name}+{key id}+{base64}` (C2SP signed-note). */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  const encoded = Buffer.concat([ED25519, publicKey]).toString('base64');
  return `${name}+${keyIdOf(name, publicKey).toString('hex')}+${encoded}`;
}

/** A checkpoint as a signed note (C2SP tlog-checkpoint), by an Ed25519 private key named as its origin. */
export function signCheckpoint(checkpoint: Checkpoint, key: KeyObject): string {
  const { origin, treeSize, rootHash } = checkpoint;
  const text = `${origin}\n${treeSize}\n${Buffer.from(rootHash).toString('base64')}\n`;
  const signature = Buffer.concat([keyIdOf(origin, publicKeyBytes(key)), sign(null, Buffer.from(text), key)]);
  return `${text}\n— ${origin} ${signature.toString('base64')}\n`;
}
