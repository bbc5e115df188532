import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { regionOf } from '#libs/config';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { masterKeyId, sealWithMaster } from '#libs/secrets';
import { importSecretPurpose, readVerifierKey } from '#libs/tenant-import';
import type { OperatorCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageOf } from '../paging/cursor.js';
import { requireRegion } from '../platform/regions.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import {
  anotherInHand,
  hasBegun,
  incomplete,
  noPlan,
  noVerifierKey,
  notToBeRetried,
  otherPart,
  tooManyOpen,
  wrongLength,
} from './platform-imports.errors.js';
import { PlatformImportsRepository, type ImportRow } from './platform-imports.repository.js';
import {
  PART_BYTES,
  type beginImport,
  type createImport,
  type listImports,
  type retryImport,
  type showImport,
} from './platform-imports.schema.js';

type ImportAnswer = AnswerOf<typeof showImport>;
type Begin = InputOf<typeof beginImport>['body'];

const OPEN_MAX = 5;

/** Archives of tenants: uploaded in parts here, checked and written by the background service. */
@Injectable()
export class PlatformImportsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformImportsRepository) private readonly imports: PlatformImportsRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** @throws AppError `invalid_params` for a line that is no verifier key, or a plan that is none; `conflict` */
  async create(caller: OperatorCaller, body: InputOf<typeof createImport>['body']): Promise<ImportAnswer> {
    const { bytes, sha256, signed_by: signedBy, slug = null, plan, home_region: asked, reason } = body;
    const homeRegion = this.#regionFor(asked) ?? regionOf(this.config).region ?? null;
    const id = newId();
    const made = { id, bytes, digest: `sha256:${sha256}`, slug, plan, homeRegion, reason };
    const trusted = signedBy.map((line, at) => keyIn(line, at));
    const details = { import: id, digest: made.digest, plan, slug, home_region: homeRegion, signed_by: trusted };
    return this.database.asOperator(actOf(caller, { action: 'tenants.import', reason, details }), async (tx) => {
      if (!(await this.imports.hasPlan(tx, plan))) throw noPlan(plan);
      const asking = { ...made, trusted, requestedBy: caller.operatorId };
      if (!(await this.imports.insert(tx, asking, OPEN_MAX))) throw tooManyOpen(OPEN_MAX);
      return this.#shown(tx, id);
    });
  }

  async list(
    caller: OperatorCaller,
    { limit, ...query }: InputOf<typeof listImports>['query'],
  ): Promise<AnswerOf<typeof listImports>> {
    const rows = await this.database.asOperator(lookOf(caller, 'tenant_imports.list'), (tx) =>
      this.imports.list(tx, { ...query, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit);
    return { imports: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, id: string): Promise<ImportAnswer> {
    return this.database.asOperator(lookOf(caller, 'tenant_imports.show'), (tx) => this.#shown(tx, id));
  }

  /** @throws AppError `not_found`, `invalid_request` for a part of another length, `conflict` */
  async upload(
    caller: OperatorCaller,
    { import: id, number, content }: { readonly import: string; readonly number: number; readonly content: Buffer },
  ): Promise<ImportAnswer> {
    const before = await this.database.asService((tx) => this.imports.find(tx, id));
    if (before === undefined || number >= partsOf(before)) throw new AppError('not_found');
    const expected = Math.min(PART_BYTES, before.bytes - number * PART_BYTES);
    if (content.length !== expected) throw wrongLength(number, content.length, expected);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const details = { import: id, part: number, digest };
    const act = actOf(caller, { action: 'tenants.import_part', reason: before.reason, details });
    return this.database.asOperator(act, async (tx) => {
      const kept = await this.imports.keepPart(tx, { importId: id, number, digest, content });
      if (kept === undefined) throw hasBegun((await this.#shown(tx, id)).state);
      if (kept !== digest) throw otherPart(number);
      return this.#shown(tx, id);
    });
  }

  /** @throws AppError `not_found`, `conflict` where parts are missing, it has begun, or another one is in hand */
  async begin(caller: OperatorCaller, id: string, { secret, reason }: Begin): Promise<ImportAnswer> {
    const details = { import: id, secret: secret?.kind ?? 'none' };
    const act = actOf(caller, { action: 'tenants.import_begin', reason, details });
    return this.database.asOperator(act, async (tx) => {
      const before = await this.#shown(tx, id);
      if (before.state === 'uploading' && before.next_part !== null) throw incomplete(before.next_part);
      const outcome = await this.imports.begin(tx, id, secret && this.#sealed(id, secret));
      if (outcome === 'another is in hand') throw anotherInHand();
      if (outcome === 'not open') throw hasBegun(before.state);
      return this.#shown(tx, id);
    });
  }

  /** @throws AppError `not_found`, `invalid_params` as for a new one, `conflict` where it is not kept, or another one is in hand */
  async retry(
    caller: OperatorCaller,
    id: string,
    { secret, reason, ...changed }: InputOf<typeof retryImport>['body'],
  ): Promise<ImportAnswer> {
    const homeRegion = this.#regionFor(changed.home_region);
    const trusted = changed.signed_by?.map((line, at) => keyIn(line, at));
    const { slug, plan } = changed;
    const details = {
      import: id,
      secret: secret?.kind ?? 'none',
      slug,
      plan,
      home_region: homeRegion,
      signed_by: trusted,
    };
    const act = actOf(caller, { action: 'tenants.import_retry', reason, details });
    return this.database.asOperator(act, async (tx) => {
      const before = await this.#get(tx, id);
      if (plan !== undefined && !(await this.imports.hasPlan(tx, plan))) throw noPlan(plan);
      const asked = {
        id,
        slug: slug === undefined ? before.slug : slug,
        plan: plan ?? before.plan,
        homeRegion: homeRegion ?? before.home_region,
        trusted: trusted ?? before.trusted,
        reason,
        requestedBy: caller.operatorId,
      };
      const outcome = await this.imports.retry(tx, asked, secret && this.#sealed(id, secret));
      if (outcome === 'another is in hand') throw anotherInHand();
      if (outcome === 'not open') throw notToBeRetried(before);
      return this.#shown(tx, id);
    });
  }

  /** @throws AppError `not_found`, `conflict` where it is being worked on or has ended */
  async cancel(caller: OperatorCaller, id: string, reason: string): Promise<ImportAnswer> {
    const act = actOf(caller, { action: 'tenants.import_cancel', reason, details: { import: id } });
    return this.database.asOperator(act, async (tx) => {
      const before = await this.#shown(tx, id);
      if (!(await this.imports.cancel(tx, id))) throw hasBegun(before.state);
      return this.#shown(tx, id);
    });
  }

  #sealed(id: string, secret: NonNullable<Begin['secret']>): { sealed: Buffer; rootKeyId: string } {
    const value = secret.kind === 'passphrase' ? secret.passphrase : secret.private_key;
    const text = Buffer.from(JSON.stringify({ kind: secret.kind, value }));
    const { WHARF_MASTER_KEY: masterKey } = this.config;
    return { sealed: sealWithMaster(masterKey, importSecretPurpose(id), text), rootKeyId: masterKeyId(masterKey) };
  }

  #regionFor(asked: string | undefined): string | undefined {
    if (asked !== undefined) requireRegion(asked, regionOf(this.config), '/home_region');
    return asked;
  }

  async #shown(tx: Transaction, id: string): Promise<ImportAnswer> {
    return view(await this.#get(tx, id));
  }

  async #get(tx: Transaction, id: string): Promise<ImportRow> {
    const row = await this.imports.find(tx, id);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }
}

function keyIn(line: string, at: number): string {
  const key = readVerifierKey(line);
  if (key === undefined) throw noVerifierKey(at);
  return key;
}

const partsOf = ({ bytes }: Pick<ImportRow, 'bytes'>): number => Math.ceil(bytes / PART_BYTES);

function view(row: ImportRow): ImportAnswer {
  const { imported_id: tenantId, imported_slug: slug, received, next_part: next, trusted: _, ...rest } = row;
  const { kept_until: keptUntil, ...shown } = rest;
  const uploading = row.state === 'uploading' || row.state === 'waiting';
  return {
    ...shown,
    parts: partsOf(row),
    received,
    next_part: uploading && next < partsOf(row) ? next : null,
    tenant: tenantId === null || slug === null ? null : { id: tenantId, slug },
    created_at: row.created_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
    retry_until: keptUntil?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
  };
}
