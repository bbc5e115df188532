import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ringOf, type Secret } from '#libs/config';
import { deriveKey, masterKeyId } from '#libs/secrets';
import { BackupError } from './backup-error.js';

const MANIFEST = 'backup.json';
const SEAL = 'backup.mac';

const sealedTable = z.strictObject({
  name: z.string(),
  columns: z.array(z.string()),
  file: z.string().regex(/^[a-z0-9_]+\.copy\.gz\.sealed$/),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  /** Of the file's bytes. */
  sha256: z.string(),
  nonce: z.string(),
  tag: z.string(),
});

const manifest = z.strictObject({
  format: z.literal(1),
  made_at: z.iso.datetime(),
  postgres: z.string(),
  master_key_id: z.string(),
  /** Of the other master keys that rows were sealed under, while the key was being replaced. */
  other_master_key_ids: z.array(z.string()).default([]),
  /** Tables are sealed under a key that derives from the master key and this. */
  salt: z.string(),
  migrations: z.array(z.string()),
  /** Months of the audit log reach back to this day. */
  oldest_record_at: z.iso.datetime().nullable(),
  tables: z.array(sealedTable),
  sequences: z.array(z.strictObject({ name: z.string(), last_value: z.string().nullable() })),
  /** What each live release offers, so that a restored installation can be compared tool by tool. */
  tools: z.array(
    z.strictObject({
      tenant: z.string(),
      server: z.string(),
      release: z.int(),
      digest: z.string(),
      /** Name → SHA-256 of the tool's canonical definition. */
      tools: z.record(z.string(), z.string()),
    }),
  ),
  /** The newest signed checkpoint of each log: `tenant` is its id, null for the platform's. */
  checkpoints: z.array(z.strictObject({ tenant: z.string().nullable(), size: z.string(), root: z.string() })),
});

/** What a backup says of itself. */
export type Manifest = z.infer<typeof manifest>;

/** One table's part of a backup. */
export type SealedTable = z.infer<typeof sealedTable>;

function macOf(masterKey: Secret, text: string): Buffer {
  return createHmac('sha256', deriveKey(masterKey, 'backup-manifest')).update(text).digest();
}

/** Writes the manifest last, with a MAC over its bytes: a folder without one is no backup. */
export async function writeManifest(folder: string, masterKey: Secret, content: Manifest): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  await writeFile(path.join(folder, SEAL), `${macOf(masterKey, text).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  await writeFile(path.join(folder, MANIFEST), text, { mode: 0o600, flag: 'wx' });
}

async function readPart(folder: string, name: string): Promise<string> {
  try {
    return await readFile(path.join(folder, name), 'utf8');
  } catch (error) {
    throw new BackupError(
      `${folder} holds no ${name}: it is no backup, or one that was broken off. Name the folder that the backup was written to.`,
      { cause: error },
    );
  }
}

function parseManifest(text: string): Manifest {
  try {
    return manifest.parse(JSON.parse(text));
  } catch (error) {
    throw new BackupError(
      `${MANIFEST} cannot be read by this version: it was changed, or made by a newer one. Use the version that made it, or another copy.`,
      { cause: error },
    );
  }
}

/** The one of the master keys that a backup is sealed under. @throws BackupError where one is missing that it needs */
export function keyOfBackup(content: Manifest, masterKey: Secret): Secret {
  const given = new Map(ringOf(masterKey).map((key) => [masterKeyId(key), key]));
  const key = given.get(content.master_key_id);
  if (key === undefined)
    throw new BackupError(
      `The backup was made under the master key ${content.master_key_id}, the given one is ${masterKeyId(masterKey)}; set WHARF_MASTER_KEY to the key that you keep with this backup.`,
    );
  const missing = content.other_master_key_ids.find((id) => !given.has(id));
  if (missing !== undefined)
    throw new BackupError(
      `The backup holds rows that are sealed under master key ${missing} as well; name it in WHARF_MASTER_KEY after the first.`,
    );
  return key;
}

/** The manifest of a backup. @throws BackupError when it is none, was made under another key, or was changed */
export async function readManifest(folder: string, masterKey: Secret): Promise<Manifest> {
  const text = await readPart(folder, MANIFEST);
  const seal = await readPart(folder, SEAL);
  const content = parseManifest(text);
  const [given, right] = [Buffer.from(seal.trim(), 'hex'), macOf(keyOfBackup(content, masterKey), text)];
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new BackupError(`${MANIFEST} was changed after the backup was made; restore another copy.`);
  }
  return content;
}
