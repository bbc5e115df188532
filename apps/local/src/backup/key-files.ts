import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { masterKeysText, revealRing, type MasterKeys, type Secret } from '#libs/config';
import { BackupError } from './backup-error.js';

const MASTER = 'master.key';
const INTAKE = 'intake.key';

/** Whether keys can be written to a folder; asked before a backup is made, which takes its time. @throws BackupError */
export function refuseKeysFolder(folder: string, backup: string): void {
  const inside = path.relative(path.resolve(backup), path.resolve(folder));
  if (inside === '' || !inside.startsWith('..'))
    throw new BackupError(`${folder} is inside the backup; keep the keys in another place.`);
  if (existsSync(path.join(folder, MASTER)))
    throw new BackupError(`${folder} holds keys already; name a new folder, so that none is overwritten.`);
}

/** Keys go to a folder of their own, readable by their owner only: beside the backup they would protect nothing. */
export async function writeKeys(
  folder: string,
  backup: string,
  keys: { readonly masterKey: Secret; readonly intakeKey: Secret | undefined },
): Promise<void> {
  refuseKeysFolder(folder, backup);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) =>
    writeFile(path.join(folder, name), `${text}\n`, { mode: 0o600, flag: 'wx' });
  await write(MASTER, revealRing(keys.masterKey));
  if (keys.intakeKey !== undefined) await write(INTAKE, keys.intakeKey.reveal());
}

/** The master keys out of a folder that `writeKeys` wrote. @throws BackupError */
export async function readMasterKey(folder: string): Promise<MasterKeys> {
  try {
    return masterKeysText().parse((await readFile(path.join(folder, MASTER), 'utf8')).trim());
  } catch (error) {
    throw new BackupError(`${folder} holds no ${MASTER}; name the folder that \`--keys-to\` wrote.`, { cause: error });
  }
}

/** Gives a data folder the kept keys, so that what starts there next is the same installation. @throws BackupError */
export async function adoptKeys(folder: string, dataDir: string): Promise<void> {
  const masterKey = await readMasterKey(folder);
  const keys = path.join(dataDir, 'keys');
  const present = path.join(keys, MASTER);
  if (existsSync(present)) {
    if ((await readFile(present, 'utf8')).trim() === revealRing(masterKey)) return;
    throw new BackupError(`${dataDir} belongs to another master key; set WHARF_DATA_DIR to a new folder.`);
  }
  await mkdir(keys, { recursive: true, mode: 0o700 });
  for (const name of [MASTER, INTAKE]) {
    if (existsSync(path.join(folder, name))) await copyFile(path.join(folder, name), path.join(keys, name));
  }
}
