import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { refuseUnusable } from './judge-settings.js';
import { approvedBy, planView, shownTools, toolsBehind } from './plan-view.js';
import { profileAnswer } from './profile-answer.js';
import {
  ProfilesRepository,
  type LiveTools,
  type ProfileRow,
  type StoredSettings,
  type WrittenProfile,
} from './profiles.repository.js';
import type {
  changeProfile,
  createProfile,
  getProfile,
  listProfiles,
  listProfileTools,
  ProfileSettings,
} from './profiles.schema.js';

const PROFILES_MAX = 50;

type Answer = AnswerOf<typeof getProfile>;
/** What one request writes: its own parts are judged, what was there before is not. */
interface Writing {
  readonly id: string;
  readonly slug: string;
  readonly settings: ProfileSettings;
  readonly written: ReadonlySet<string>;
  readonly approvedBefore?: readonly string[] | null;
}

/** A tenant's profiles: what agents see of its servers at further URLs. */
@Injectable()
export class ProfilesService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ProfilesRepository) private readonly profiles: ProfilesRepository,
  ) {}

  /** @throws AppError `conflict` for a slug in use or one profile too many; `unprocessable` for what cannot be used */
  async create(caller: TenantCaller, body: InputOf<typeof createProfile>['body']): Promise<Answer> {
    const { tenantId } = caller;
    const { slug, ...settings } = body;
    try {
      return await this.database.asTenant(tenantId, async (tx) => {
        if ((await this.profiles.count(tx, tenantId)) >= PROFILES_MAX)
          throw new AppError('conflict', {
            message: `A tenant has at most ${PROFILES_MAX} profiles. Delete one first.`,
          });
        const live = await this.profiles.liveTools(tx, tenantId);
        const written = new Set(Object.keys(settings));
        const profile = planned(caller, { id: newId(), slug, settings, written }, live);
        await this.profiles.insert(tx, tenantId, profile);
        return this.#answer(tx, caller, { slug, live, event: 'profile.created' });
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'profiles_slug_key')) throw error;
      throw new AppError('conflict', { message: `There is a server or profile ${slug} already. Choose another slug.` });
    }
  }

  async list(
    caller: TenantCaller,
    query: InputOf<typeof listProfiles>['query'],
  ): Promise<AnswerOf<typeof listProfiles>> {
    const { tenantId } = caller;
    const { rows, live } = await this.database.asTenant(tenantId, async (tx) => ({
      rows: await this.profiles.list(tx, tenantId),
      live: await this.profiles.liveTools(tx, tenantId),
    }));
    const page = pageByKey(rows, ({ slug }) => slug, 'ascending', query);
    return { profiles: page.rows.map((row) => this.#shown(caller, row, live)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, slug: string): Promise<Answer> {
    const { row, live } = await this.#read(caller, slug);
    return { profile: this.#shown(caller, row, live) };
  }

  /** @throws AppError `not_found` */
  async tools(
    caller: TenantCaller,
    { params, query }: InputOf<typeof listProfileTools>,
  ): Promise<AnswerOf<typeof listProfileTools>> {
    const { row, live } = await this.#read(caller, params.profile);
    const { view } = planView(row.settings, { tenantSlug: caller.tenantSlug, slug: row.slug });
    const page = pageByKey(shownTools(view, live), ({ full }) => full, 'ascending', query);
    const tools = page.rows.map(({ name, full, server, access, tokens }) => {
      return { name, full_name: full, server, access, tokens };
    });
    return { tools, next_cursor: page.next };
  }

  /** @throws AppError `not_found`; `unprocessable` for what cannot be used */
  async change(caller: TenantCaller, { params, body, precondition }: InputOf<typeof changeProfile>): Promise<Answer> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = await this.profiles.lock(tx, tenantId, params.profile);
      if (before === undefined) throw new AppError('not_found');
      const live = await this.profiles.liveTools(tx, tenantId);
      precondition.require({ profile: this.#shown(caller, before, live) });
      const { id, slug, name } = before;
      const { approved, ...settings } = before.settings;
      const writing = {
        id,
        slug,
        settings: { name, ...settings, ...given(body) },
        written: new Set(Object.keys(body)),
      };
      await this.profiles.update(tx, tenantId, planned(caller, { ...writing, approvedBefore: approved }, live));
      return this.#answer(tx, caller, { slug, live, event: 'profile.changed' });
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, slug: string, precondition: Precondition): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const row = await this.profiles.lock(tx, tenantId, slug);
      if (row === undefined) throw new AppError('not_found');
      const live = await this.profiles.liveTools(tx, tenantId);
      precondition.require({ profile: this.#shown(caller, row, live) });
      await this.profiles.remove(tx, tenantId, row.id);
      await note(tx, caller, 'profile.deleted', row);
    });
  }

  async #answer(
    tx: Transaction,
    caller: TenantCaller,
    { slug, live, event }: { slug: string; live: readonly LiveTools[]; event: 'profile.created' | 'profile.changed' },
  ): Promise<Answer> {
    const row = await this.profiles.find(tx, caller.tenantId, slug);
    if (row === undefined) throw new AppError('not_found');
    const profile = this.#shown(caller, row, live);
    await note(tx, caller, event, row, profile.live_now.tools);
    return { profile };
  }

  async #read(
    { tenantId }: TenantCaller,
    slug: string,
  ): Promise<{ readonly row: ProfileRow; readonly live: readonly LiveTools[] }> {
    return this.database.asTenant(tenantId, async (tx) => {
      const row = await this.profiles.find(tx, tenantId, slug);
      if (row === undefined) throw new AppError('not_found');
      return { row, live: await this.profiles.liveTools(tx, tenantId) };
    });
  }

  #shown({ tenantSlug }: TenantCaller, row: ProfileRow, live: readonly LiveTools[]): Answer['profile'] {
    return profileAnswer(row, { tenantSlug, publicUrl: this.config.WHARF_PUBLIC_URL, live });
  }
}

/** The row of a profile that is written. What its allow-list names is looked up when the list is written, and then stays. */
function planned({ tenantSlug }: TenantCaller, writing: Writing, live: readonly LiveTools[]): WrittenProfile {
  const { id, slug, settings, written, approvedBefore } = writing;
  const { name, ...rest } = settings;
  const again = written.has('tools') || written.has('servers') || approvedBefore === undefined;
  const approved = again ? approvedBy(rest.tools.include, toolsBehind(live, rest.servers)) : approvedBefore;
  const stored: StoredSettings = { ...rest, approved };
  const { view, text, digest } = planView(stored, { tenantSlug, slug });
  refuseUnusable({ settings: stored, view, live, written });
  return { id, slug, name, settings: stored, view: text, viewDigest: digest };
}

/** What a change names. */
function given(body: InputOf<typeof changeProfile>['body']): Partial<ProfileSettings> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

async function note(
  tx: Transaction,
  caller: TenantCaller,
  event: 'profile.created' | 'profile.changed' | 'profile.deleted',
  { id, slug, settings }: ProfileRow,
  tools?: number,
): Promise<void> {
  const { servers, read_only: readOnly, search } = settings;
  const details = { slug, servers, read_only: readOnly, search, ...(tools === undefined ? {} : { tools }) };
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { event, target: `profile:${id}`, details })]);
}
