import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import type { listImportedFiles } from './imported-audit.schema.js';

/** The audit logs that came along with an imported tenant. */
@Injectable()
export class ImportedAuditService {
  constructor(@Inject(TENANT_DATABASE) private readonly database: Database) {}

  async list(
    { tenantId }: TenantCaller,
    { cursor, limit }: InputOf<typeof listImportedFiles>['query'],
  ): Promise<AnswerOf<typeof listImportedFiles>> {
    const rows: Array<{ id: string; bytes: number }> = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select path as id, sum(octet_length(content))::float8 as bytes from imported_audit_files
         where tenant_id = $1 and ($2::text is null or path > $2) group by path order by path limit $3`,
        [tenantId, cursor ?? null, limit + 1],
      ),
    );
    const page = pageOf(rows, limit);
    return { files: page.rows.map(({ id: path, bytes }) => ({ path, bytes })), next_cursor: page.next };
  }

  /** The bytes of a file, a part at a time. @throws AppError `not_found` */
  async open(caller: TenantCaller, path: string): Promise<Readable> {
    const { tenantId } = caller;
    const first = await this.#part(tenantId, path, 0);
    if (first === undefined) throw new AppError('not_found');
    await this.database.asTenant(tenantId, (tx) =>
      appendAudit(tx, tenantId, [doneBy(caller, { event: 'audit.read', target: `tenant:${tenantId}`, details: {} })]),
    );
    return Readable.from(this.#parts(tenantId, path, first), { objectMode: false });
  }

  async *#parts(tenantId: string, path: string, first: Buffer): AsyncGenerator<Buffer> {
    let part: Buffer | undefined = first;
    for (let number = 1; part !== undefined; number += 1) {
      yield part;
      part = await this.#part(tenantId, path, number);
    }
  }

  async #part(tenantId: string, path: string, number: number): Promise<Buffer | undefined> {
    const rows: Array<{ content: Buffer }> = await this.database.asTenant(tenantId, (tx) =>
      tx.query(`select content from imported_audit_files where tenant_id = $1 and path = $2 and number = $3`, [
        tenantId,
        path,
        number,
      ]),
    );
    return rows[0]?.content;
  }
}
