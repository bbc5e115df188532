import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { masterKeysText, Secret, type MasterKeys } from '#libs/config';
import type { DataFolder } from './data-folder.js';
import { EmbeddedError } from './embedded-error.js';

/** An operator's key, and the file that holds it. */
export interface OperatorKey {
  readonly key: Secret;
  readonly file: string;
}

/** The file of a data folder that holds its master key. */
export function masterKeyFile(data: DataFolder): string {
  return path.join(data.folder('keys'), 'master.key');
}

/** The master keys of a data folder, the first of which seals; undefined where it has none. @throws EmbeddedError */
export function findMasterKey(data: DataFolder): MasterKeys | undefined {
  const file = masterKeyFile(data);
  if (!existsSync(file)) return undefined;
  const parsed = masterKeysText().safeParse(readFileSync(file, 'utf8').trim());
  if (parsed.success) return parsed.data;
  throw new EmbeddedError(`${file} ${parsed.error.issues[0]?.message ?? 'holds no key'}. Restore it from your copy.`);
}

/** Makes a data folder its master key, which nothing may be sealed under yet. */
export function makeMasterKey(data: DataFolder): MasterKeys {
  const text = provideKey(masterKeyFile(data), () => randomBytes(32).toString('base64')).reveal();
  return masterKeysText().parse(text);
}

/** What worker-runtimes and their callers share; made where it is missing. */
export function provideIntakeKey(data: DataFolder): Secret {
  return provideKey(path.join(data.folder('keys'), 'intake.key'), () => randomBytes(32).toString('base64url'));
}

/** The operator's key of a data folder; made where it is missing. */
export function provideOperatorKey(data: DataFolder): OperatorKey {
  const file = path.join(data.root, 'operator.key');
  return { key: provideKey(file, () => `who_${randomBytes(32).toString('base64url')}`), file };
}

/** Files are readable by their owner only. */
function provideKey(file: string, make: () => string): Secret {
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  return new Secret(readFileSync(file, 'utf8').trim());
}
