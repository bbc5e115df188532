import { z } from 'zod';
import type { DocumentChange, Mount } from '#libs/protocol';

interface Watcher {
  readonly servers: ReadonlySet<string>;
  readonly tell: (change: DocumentChange) => void;
}

const changeSchema = z.object({ tenant: z.uuid(), server: z.string(), uris: z.array(z.string()).nullable() });

/** Tells the open streams of a tenant which documents have changed. Every gateway hears of it and tells its own. */
export class DocumentChanges {
  readonly #watchers = new Map<string, Set<Watcher>>();

  /** Has a stream told of the documents of its servers; returns how to end that. */
  watch(tenantId: string, mounts: readonly Mount[], tell: Watcher['tell']): () => void {
    const watcher = { servers: new Set(mounts.map(({ serverSlug }) => serverSlug)), tell };
    const own = this.#watchers.get(tenantId) ?? new Set();
    this.#watchers.set(tenantId, own.add(watcher));
    return () => {
      own.delete(watcher);
      if (own.size === 0 && this.#watchers.get(tenantId) === own) this.#watchers.delete(tenantId);
    };
  }

  /** Takes what the database told (`wharf_documents`), `*` after a time in which nothing was heard; returns whose documents. */
  hear(payload: string): string {
    if (payload === '*') {
      this.#tellAll();
      return '*';
    }
    const { tenant, server, uris } = changeSchema.parse(JSON.parse(payload));
    for (const { servers, tell } of this.#watchers.get(tenant) ?? [])
      if (servers.has(server)) tell({ serverSlug: server, uris });
    return tenant;
  }

  /** What changed is not known, so that anything may have. */
  #tellAll(): void {
    for (const watchers of this.#watchers.values())
      for (const { servers, tell } of watchers) for (const serverSlug of servers) tell({ serverSlug, uris: null });
  }
}
