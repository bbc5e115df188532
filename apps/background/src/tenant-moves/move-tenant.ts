import type { Client } from 'pg';
import type { Secret } from '#libs/config';
import { CopyRefused } from './copy/copy-refused.js';
import { differenceOf } from './difference.js';
import { copyTenant, digestTenant } from './copy/copy-tenant.js';
import { enterTenant, withSession } from './copy/session.js';
import type { TableDigest } from './copy/table-stream.js';
import {
  closeDedicated,
  closeHome,
  inTransaction,
  isSettled,
  outwaitSweeps,
  outwaitWriters,
  schemaOf,
  settleCommon,
  settleDedicated,
} from './homes.js';
import { noteMoved } from './note-moved.js';
import {
  abandonedFor,
  beginSettling,
  canGoBack,
  getMove,
  holdMove,
  holdRows,
  moveTo,
  newestCheckpoint,
  noteContent,
  type Move,
  type MovedContent,
} from './moves.repository.js';
import { removeRows } from './remove-rows.js';

const STATEMENT_MS = 2 * 60 * 60 * 1_000;
const SNAPSHOT = 'begin transaction isolation level repeatable read read only';

/** What moving works with. */
export interface MovingParts {
  readonly databaseUrl: string;
  /** Where databases of tenants' own are, by their names. */
  readonly dedicated: ReadonlyMap<string, Secret>;
  readonly masterKey: Secret;
  /** Told each step when what it does is committed, before that is noted. */
  readonly onStep?: (step: string) => void;
}

/** How far a move has come: it is over, or another process has it. */
export type Progress = 'done' | 'failed' | 'elsewhere';

/** Brings a tenant from one database to another; whoever is stopped in between goes on where it was. */
export class MoveTenant {
  constructor(private readonly parts: MovingParts) {}

  /** Does what is left of a move. @throws whatever keeps a step from being done; it is tried again */
  async advance(moveId: string, signal: AbortSignal): Promise<Progress> {
    return this.#at(null, signal, async (common) => {
      if (!(await holdMove(common, moveId))) return 'elsewhere';
      for (;;) {
        const move = await getMove(common, moveId);
        if (move.state === 'done' || move.state === 'failed') return move.state;
        if (move.abandoned !== null && canGoBack(move)) {
          await this.#goBack(common, move, abandonedFor(move.abandoned), signal);
          continue;
        }
        await this.#step(common, move, signal).catch((error: unknown) => this.#goBackFrom(common, move, error, signal));
      }
    });
  }

  /** Gives a move up where its target is not the tenant's home yet: the tenant is at home, and open, where it was. */
  async giveUp(moveId: string, reason: string, signal: AbortSignal): Promise<void> {
    await this.#at(null, signal, async (common) => {
      if (!(await holdMove(common, moveId))) return;
      await this.#goBack(common, await getMove(common, moveId), reason, signal);
    });
  }

  async #step(common: Client, move: Move, signal: AbortSignal): Promise<void> {
    switch (move.state) {
      case 'waiting':
        return this.#close(common, move, signal);
      case 'leaving':
        return this.#copy(common, move, signal);
      case 'copied':
        return this.#compare(common, move, signal);
      case 'compared':
        return this.#switch(common, move, signal);
      case 'switched':
        return this.#clean(common, move, move.from_database, 'done', signal);
      case 'reopened':
        return this.#clean(common, move, move.to_database, 'failed', signal);
      case 'done':
      case 'failed':
        return;
    }
  }

  /** Looks at the other database first: a tenant is not closed for a move that cannot be made. */
  async #close(common: Client, move: Move, signal: AbortSignal): Promise<void> {
    const name = dedicatedOf(move);
    await this.#at(name, signal, async (dedicated) => {
      const [here, there] = [await schemaOf(common), await schemaOf(dedicated)];
      if (there.database !== name || here.migrations !== there.migrations)
        throw new CopyRefused(
          `${name} has another name or schema. Run \`npm run migrate\`, then ask for the move again.`,
        );
    });
    await inTransaction(common, async () => {
      await closeHome(common, move);
      await moveTo(common, move, 'leaving');
    });
    this.parts.onStep?.('closed');
  }

  async #copy(common: Client, move: Move, signal: AbortSignal): Promise<void> {
    const { tenant_id: tenantId } = move;
    await this.#at(move.from_database, signal, (source) =>
      this.#at(move.to_database, signal, async (target) => {
        if (move.to_database === null) await closeDedicated(source, move);
        await holdRows(target, tenantId);
        await outwaitWriters(source, move);
        await outwaitSweeps(source, signal);
        this.parts.onStep?.('outwaited');
        await removeRows(target, tenantId, signal);
        this.parts.onStep?.('emptied');
        await source.query(SNAPSHOT);
        await enterTenant(source, tenantId);
        const content = await inTransaction(target, async () => {
          await enterTenant(target, tenantId);
          const tables: TableDigest[] = [];
          const onTable = async (table: TableDigest): Promise<void> => {
            tables.push(table);
            await noteContent(common, move, { tables, checkpoint: null });
          };
          const { unaddressed } = await copyTenant({ source, target, tenantId, signal, onTable });
          return { tables, unaddressed, checkpoint: await newestCheckpoint(source, tenantId) };
        });
        await source.query('commit');
        this.parts.onStep?.('copied');
        await noteContent(common, move, content);
      }),
    );
    await moveTo(common, move, 'copied');
  }

  async #compare(common: Client, move: Move, signal: AbortSignal): Promise<void> {
    const { tenant_id: tenantId } = move;
    const found = await this.#at(move.to_database, signal, async (target): Promise<MovedContent> => {
      await target.query(SNAPSHOT);
      await enterTenant(target, tenantId);
      return {
        tables: await digestTenant(target, tenantId, signal),
        checkpoint: await newestCheckpoint(target, tenantId),
      };
    });
    const different = differenceOf(move.content, found);
    if (different !== undefined) throw new CopyRefused(`What arrived is not what left: ${different}.`);
    this.parts.onStep?.('compared');
    await moveTo(common, move, 'compared');
  }

  /** Until the common database says so, last of all, the tenant is nowhere at home. */
  async #switch(common: Client, move: Move, signal: AbortSignal): Promise<void> {
    const { tenant_id: tenantId, to_database: to } = move;
    const home = to === null ? 'common' : 'dedicated';
    const database = dedicatedOf(move);
    // Where an operator was quicker, there is nothing to do but to go back.
    if (!(await beginSettling(common, move))) return;
    await this.#at(database, signal, (dedicated) =>
      inTransaction(dedicated, async () => {
        if (to !== null && !(await isSettled(dedicated, tenantId))) await noteMoved(dedicated, move);
        await settleDedicated(dedicated, tenantId, database, home);
        if (to !== null) await dedicated.query(`select pg_notify('wharf_outbox', '')`);
      }),
    );
    this.parts.onStep?.('settled');
    await inTransaction(common, async () => {
      if (to === null) await noteMoved(common, move);
      await settleCommon(common, tenantId, home);
      await common.query(`select pg_notify('wharf_outbox', '')`);
      await moveTo(common, move, 'switched');
    });
    this.parts.onStep?.('switched');
  }

  async #clean(
    common: Client,
    move: Move,
    database: string | null,
    end: 'done' | 'failed',
    signal: AbortSignal,
  ): Promise<void> {
    await this.#at(database, signal, async (client) => {
      await holdRows(client, move.tenant_id);
      await removeRows(client, move.tenant_id, signal);
    });
    this.parts.onStep?.('cleaned');
    await moveTo(common, move, end);
  }

  /** What trying again cannot help sends the tenant back; all else is for whoever tries again. */
  async #goBackFrom(common: Client, move: Move, error: unknown, signal: AbortSignal): Promise<void> {
    if (!(error instanceof CopyRefused) || !canGoBack(move)) throw error;
    await this.#goBack(common, move, error.message, signal);
  }

  async #goBack(common: Client, move: Move, reason: string, signal: AbortSignal): Promise<void> {
    if (move.state === 'waiting') return moveTo(common, move, 'failed', reason);
    if (!canGoBack(move)) return;
    const { tenant_id: tenantId, from_database: from } = move;
    if (from !== null)
      await this.#at(from, signal, (dedicated) =>
        inTransaction(dedicated, () => settleDedicated(dedicated, tenantId, from, 'dedicated')),
      );
    await inTransaction(common, async () => {
      await settleCommon(common, tenantId, from === null ? 'common' : 'dedicated');
      await moveTo(common, move, 'reopened', reason);
    });
    this.parts.onStep?.('reopened');
  }

  /** A connection of its own to a database by its name; null is the common one. */
  #at<Result>(name: string | null, signal: AbortSignal, work: (client: Client) => Promise<Result>): Promise<Result> {
    const { databaseUrl, dedicated, masterKey } = this.parts;
    const url = name === null ? databaseUrl : dedicated.get(name)?.reveal();
    if (url === undefined)
      throw new CopyRefused(
        `WHARF_DEDICATED_DATABASES of the background service does not name ${name}. Name it there.`,
      );
    return withSession({ databaseUrl: url, masterKey, statementMs: STATEMENT_MS, signal }, work);
  }
}

/** One end of every move is a dedicated database. */
function dedicatedOf({ from_database: from, to_database: to }: Move): string {
  return to ?? from ?? '';
}
