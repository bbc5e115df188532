import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { openWithMaster } from '#libs/secrets';
import { ArchiveError, ArchiveUnwelcome } from '#libs/tenant-archive';
import { ArchiveReader, importArchive, importSecretPurpose, type Imported } from '#libs/tenant-import';
import { endImport, keepRun, type TakenImport } from './imports.repository.js';
import { PartReader } from './part-reader.js';

const BEAT_MS = 20_000;
const RUN_MS = 60 * 60 * 1_000;
const STATEMENT_MS = 60_000;

/** What importing works with. */
export interface ImportingParts {
  readonly database: Database;
  /** As `wharf_life_cycle`, which writes every table of the one tenant that comes in. */
  readonly lifeCycle: Database;
  readonly masterKey: Secret;
}

/** Thrown where a run is not this process's any more. */
export class RunLost extends Error {
  override readonly name = 'RunLost';
}

/** One run of an import: says how far it is, and ends after an hour, when it is stopped, or when it is another's. */
export class RunImport {
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #state: 'checking' | 'writing' = 'checking';
  #progress: object = {};

  constructor(
    private readonly parts: ImportingParts,
    private readonly taken: TakenImport,
    stopping: AbortSignal,
  ) {
    this.#signal = AbortSignal.any([stopping, this.#ending.signal]);
  }

  /** @throws ArchiveError for an archive that cannot be used; `RunLost` */
  async run(): Promise<Imported> {
    const deadline = setTimeout(() => this.#ending.abort(overTime()), RUN_MS);
    const beat = setInterval(() => void this.#beat(), BEAT_MS);
    try {
      await this.#refuseChangedBytes();
      const { trusted, bytes, id } = this.taken;
      const source = { reader: new PartReader(this.parts.database, id), bytes };
      const reader = await ArchiveReader.open(source, trusted, { signal: this.#signal, onFile: this.#onFile });
      try {
        await this.#enter('writing');
        return await this.#write(reader);
      } finally {
        reader.close();
      }
    } finally {
      clearTimeout(deadline);
      clearInterval(beat);
    }
  }

  async #write(reader: ArchiveReader): Promise<Imported> {
    const { taken, parts } = this;
    const choices = {
      masterKey: parts.masterKey,
      secret: this.#secret(),
      slug: taken.slug ?? undefined,
      plan: taken.plan,
      homeRegion: taken.home_region,
      act: { operatorId: taken.requested_by, reason: taken.reason },
      signal: this.#signal,
      onFile: this.#onFile,
    };
    return importArchive(reader, choices, (tenantId, work) =>
      parts.lifeCycle.asTenant(
        tenantId,
        async (tx) => {
          const imported = await work((sql, values) => tx.query(sql, values && [...values]));
          this.#signal.throwIfAborted();
          if (!(await endImport(tx, taken, imported))) throw new RunLost();
          return imported;
        },
        { statementTimeoutMs: STATEMENT_MS },
      ),
    );
  }

  /** What opens the secrets: a passphrase, or a private key in PEM. */
  #secret(): string | KeyObject | undefined {
    const { sealed, id } = this.taken;
    if (sealed === null) return undefined;
    const text = openWithMaster(this.parts.masterKey, importSecretPurpose(id), sealed).toString();
    const secret = JSON.parse(text) as { kind: 'passphrase' | 'private_key'; value: string }; // sealed by ourselves
    if (secret.kind === 'passphrase') return secret.value;
    try {
      return createPrivateKey(secret.value);
    } catch (error) {
      throw new ArchiveUnwelcome('The private key is none that can be read: send it in PEM.', { cause: error });
    }
  }

  async #refuseChangedBytes(): Promise<void> {
    const { id, bytes, digest } = this.taken;
    const hash = createHash('sha256');
    for await (const piece of new PartReader(this.parts.database, id).range(0, bytes)) {
      this.#signal.throwIfAborted();
      hash.update(piece);
    }
    if (`sha256:${hash.digest('hex')}` !== digest)
      throw new ArchiveError('What was uploaded has another SHA-256 than was said. Upload the archive again.');
  }

  readonly #onFile = (file: string, files: number): void => {
    this.#progress = { file, files };
  };

  async #enter(state: 'writing'): Promise<void> {
    this.#state = state;
    if (!(await this.#keep())) throw new RunLost();
  }

  #keep(): Promise<boolean> {
    return this.parts.database.asService((tx) => keepRun(tx, this.taken, this.#state, this.#progress));
  }

  async #beat(): Promise<void> {
    // A beat that fails is the next one's to make up for, until the run is another's.
    if (!(await this.#keep().catch(() => true))) this.#ending.abort(new RunLost());
  }
}

function overTime(): ArchiveError {
  return new ArchiveUnwelcome('The import took longer than an hour and was stopped; nothing was changed.');
}
