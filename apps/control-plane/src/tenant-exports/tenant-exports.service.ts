import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, exportTenantJob } from '#libs/jobs';
import type { TenantVault } from '#libs/secrets';
import { newExportKey, type KeyEnvelope } from '#libs/tenant-archive';
import { actorOf, doneBy, type Caller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { TenantExportsRepository, type ExportRow } from './tenant-exports.repository.js';
import type { listExports, requestExport, showExport } from './tenant-exports.schema.js';

type ExportAnswer = AnswerOf<typeof showExport>;
/** Whose exports, and where the API that was asked has them. */
interface Whose {
  readonly tenantId: string;
  readonly place: string;
}
type Secrets = InputOf<typeof requestExport>['body']['secrets'];

/** Archives of whole tenants: asked for here, made by the background service, handed out in parts. */
@Injectable()
export class TenantExportsService {
  /** A passphrase costs 128 MiB of memory; one at a time. */
  #deriving: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(TenantExportsRepository) private readonly exports: TenantExportsRepository,
  ) {}

  /** @throws AppError `conflict` while another one is made */
  async request(caller: Caller, { tenantId, place }: Whose, secrets: Secrets, reason?: string): Promise<ExportAnswer> {
    const id = newId();
    const made = await this.#keyFor(secrets);
    try {
      return await this.database.asTenant(tenantId, async (tx) => {
        const sealed =
          made && (await this.vault.seal(tx, tenantId, `tenant-export|${id}`, made.key.toString('base64')));
        const asked = { id, requestedBy: actorOf(caller), sealed, envelope: made?.envelope };
        await this.exports.insert(tx, tenantId, asked);
        await enqueue(tx, tenantId, exportTenantJob, { tenantId, exportId: id });
        const details = {
          export: id,
          secrets: made === undefined ? 'left_out' : 'sealed',
          ...(reason === undefined ? {} : { reason }),
        };
        const entry = { event: 'tenant.export_requested', target: `tenant:${tenantId}`, details } as const;
        await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
        const row = await this.exports.find(tx, tenantId, id);
        if (row === undefined) throw new AppError('internal');
        return exportView(row, place);
      });
    } catch (error) {
      if (isUniqueViolation(error, 'tenant_exports_open')) throw oneAtATime();
      throw error;
    }
  }

  async list(
    { tenantId, place }: Whose,
    query: InputOf<typeof listExports>['query'],
  ): Promise<AnswerOf<typeof listExports>> {
    const rows = await this.database.asTenant(tenantId, (tx) =>
      this.exports.list(tx, tenantId, { ...query, limit: query.limit + 1 }),
    );
    const page = pageOf(rows, query.limit);
    return { exports: page.rows.map((row) => exportView(row, place)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async show({ tenantId, place }: Whose, id: string): Promise<ExportAnswer> {
    const row = await this.database.asTenant(tenantId, (tx) => this.exports.find(tx, tenantId, id));
    if (row === undefined) throw new AppError('not_found');
    return exportView(row, place);
  }

  /** The bytes of an archive, a part at a time. @throws AppError `not_found`, `conflict` where it is not ready */
  async download(
    caller: Caller,
    { tenantId, place }: Whose,
    id: string,
    reason?: string,
  ): Promise<{ content: Readable; bytes: number }> {
    const bytes = await this.database.asTenant(tenantId, async (tx) => {
      const row = await this.exports.find(tx, tenantId, id);
      if (row === undefined) throw new AppError('not_found');
      if (row.state !== 'ready' || row.bytes === null) throw notReady(row.state, place);
      const entry = {
        event: 'tenant.export_downloaded',
        target: `tenant:${tenantId}`,
        details: { export: id, ...(reason === undefined ? {} : { reason }) },
      } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return row.bytes;
    });
    return { content: Readable.from(this.#parts(tenantId, id), { objectMode: false }), bytes };
  }

  async *#parts(tenantId: string, id: string): AsyncGenerator<Buffer> {
    for (let number = 0; ; number += 1) {
      const part = await this.database.asTenant(tenantId, (tx) => this.exports.part(tx, tenantId, id, number));
      if (part === undefined) return;
      yield part;
    }
  }

  async #keyFor(secrets: Secrets): Promise<{ key: Buffer; envelope: KeyEnvelope } | undefined> {
    if (secrets.kind === 'left_out') return undefined;
    const recipient =
      secrets.kind === 'passphrase'
        ? secrets
        : { kind: secrets.kind, publicKey: Buffer.from(secrets.public_key, 'base64url') };
    const made = this.#deriving.then(() => newExportKey(recipient));
    this.#deriving = made.catch(() => undefined);
    return made.catch((error: unknown) => {
      throw new AppError('invalid_params', {
        message: '`public_key` is not an X25519 public key. Send the 32 bytes of one in base64url.',
        cause: error,
      });
    });
  }
}

function exportView(row: ExportRow, place: string): ExportAnswer {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    ready_at: row.ready_at?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
    download: row.state === 'ready' ? `${place}/${row.id}/content` : null,
  };
}

function oneAtATime(): AppError {
  return new AppError('conflict', {
    message: 'An archive is being made already. Wait until it is ready, or has failed.',
  });
}

function notReady(state: string, place: string): AppError {
  return new AppError('conflict', {
    message: `This archive is ${state}, and only one that is ready can be downloaded. Ask for another one with POST ${place}.`,
  });
}
