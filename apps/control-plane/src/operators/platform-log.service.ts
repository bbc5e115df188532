import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import {
  checkpointOrigin,
  consistencyOf,
  exportLine,
  inclusionOf,
  MerkleTree,
  PLATFORM_LOG,
  platformTileReader,
  toOperatorRecord,
  verifierKey,
} from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import type { provePlatformConsistency, provePlatformInclusion } from '../audit-proofs/audit-proofs.schema.js';
import { notCoveredYet, outside, requireReached, requireSizes, type AskedSize } from '../audit-proofs/sizes.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { actOf, lookOf } from './act.js';
import { ActionsRepository } from './actions.repository.js';
import type { listPlatformCheckpoints } from './actions.schema.js';

const BATCH = 500;

/** Proves what the platform's own log says of what operators did. */
@Injectable()
export class PlatformLogService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(ActionsRepository) private readonly actions: ActionsRepository,
  ) {}

  async listCheckpoints(
    caller: OperatorCaller,
    { cursor, limit }: InputOf<typeof listPlatformCheckpoints>['query'],
  ): Promise<AnswerOf<typeof listPlatformCheckpoints>> {
    const origin = checkpointOrigin(new URL(this.config.WHARF_PUBLIC_URL), PLATFORM_LOG);
    return this.database.asOperator(lookOf(caller, 'actions.checkpoints'), async (tx) => {
      const page = pageOf(await this.actions.listCheckpoints(tx, cursor, limit + 1), limit);
      const keys = await this.actions.listKeys(tx);
      return {
        checkpoints: page.rows.map(({ size, root, note, created_at: at }) => ({
          size: Number(size),
          root: root.toString('base64'),
          note,
          created_at: at.toISOString(),
        })),
        verifier_keys: keys.map(({ public_key: key }) => verifierKey(origin, key)),
        next_cursor: page.next,
      };
    });
  }

  /** @throws AppError `not_found`, `conflict` while no checkpoint covers the act, `invalid_request` for a size the log never had */
  async proveInclusion(
    caller: OperatorCaller,
    id: string,
    size: number | undefined,
  ): Promise<AnswerOf<typeof provePlatformInclusion>> {
    return this.database.asOperator(lookOf(caller, 'actions.inclusion'), async (tx) => {
      const leaf = await this.actions.findLeaf(tx, id);
      if (leaf === undefined) throw new AppError('not_found');
      // Whatever has a number is covered: each batch is signed in the transaction that numbers it.
      if (leaf === null) throw notCoveredYet();
      const tree = await this.#tree(tx, size === undefined ? undefined : { size });
      if (leaf >= tree.size)
        throw outside('size', `Act ${id} is number ${leaf}: the log had it only from size ${leaf + 1}.`);
      return inclusionOf(tree, leaf);
    });
  }

  /** @throws AppError `invalid_request` for sizes that the log never had */
  async proveConsistency(
    caller: OperatorCaller,
    { from, to }: InputOf<typeof provePlatformConsistency>['query'],
  ): Promise<AnswerOf<typeof provePlatformConsistency>> {
    requireSizes(from, to);
    return this.database.asOperator(lookOf(caller, 'actions.consistency'), async (tx) =>
      consistencyOf(await this.#tree(tx, { to }), from),
    );
  }

  /** The tree when it had so many leaves; without a size, as it is now. */
  async #tree(tx: Transaction, asked: AskedSize | undefined): Promise<MerkleTree> {
    const now = await this.actions.logSize(tx);
    return new MerkleTree(asked === undefined ? now : requireReached(asked, now), platformTileReader(tx));
  }

  /** The lines of an export of the whole log; that it was made is itself an act. */
  async export(caller: OperatorCaller): Promise<Readable> {
    const act = actOf(caller, { action: 'actions.export', reason: 'read' });
    const size = await this.database.asOperator(act, (tx) => this.actions.logSize(tx));
    return Readable.from(this.#lines(size));
  }

  async *#lines(size: number): AsyncGenerator<string> {
    for (let from = 0; from < size; from += BATCH) yield await this.#batch(size, from);
  }

  async #batch(size: number, from: number): Promise<string> {
    return this.database.asService(async (tx) => {
      const rows = await this.actions.listNumbered(tx, from, Math.min(size, from + BATCH));
      const tree = new MerkleTree(size, platformTileReader(tx));
      const lines = rows.map(async ({ leaf_index: leaf, ...row }) =>
        exportLine(Number(leaf), await tree.leaf(Number(leaf)), toOperatorRecord(row)),
      );
      return (await Promise.all(lines)).join('');
    });
  }
}
