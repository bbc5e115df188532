import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { masterKeysText, Secret, type MasterKeys } from '#libs/config';
import type { DataFolder } from './data-folder.js';
import { EmbeddedError } from './embedded-error.js';

/** The keys of a private installation, made at its first start. */
export interface PlatformKeys {
  /** The first one seals; others are there while it is replaced. */
  readonly masterKey: MasterKeys;
  readonly intakeKey: Secret;
  readonly operatorKey: Secret;
  /** The file that holds the operator's key. */
  readonly operatorKeyFile: string;
}

function provideKey(file: string, make: () => string): Secret {
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  return new Secret(readFileSync(file, 'utf8').trim());
}

function masterKeysIn(file: string): MasterKeys {
  const text = provideKey(file, () => randomBytes(32).toString('base64')).reveal();
  const parsed = masterKeysText().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new EmbeddedError(`${file} ${parsed.error.issues[0]?.message ?? 'holds no key'}. Restore it from your copy.`);
}

/** The installation's keys out of its data folder; missing ones are made, files are readable by their owner only. */
export function provideKeys(data: DataFolder): PlatformKeys {
  const keys = data.folder('keys');
  const operatorKeyFile = path.join(data.root, 'operator.key');
  return {
    masterKey: masterKeysIn(path.join(keys, 'master.key')),
    intakeKey: provideKey(path.join(keys, 'intake.key'), () => randomBytes(32).toString('base64url')),
    operatorKey: provideKey(operatorKeyFile, () => `who_${randomBytes(32).toString('base64url')}`),
    operatorKeyFile,
  };
}
