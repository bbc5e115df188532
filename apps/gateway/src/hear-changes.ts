import type { ChangeListener, Database } from '#libs/database';
import type { DocumentDoor } from './documents/document-door.js';

/** Hears what the databases tell: that rows of a tenant were changed, and which of its documents. */
export async function hearChanges(
  database: Database,
  forget: (tenantId: string) => void,
  documents: DocumentDoor,
): Promise<ChangeListener> {
  const rows = await database.listen('wharf_changes', forget);
  const texts = await database.listen('wharf_documents', (payload) => documents.hear(payload));
  return {
    get connected() {
      return rows.connected;
    },
    close: async () => void (await Promise.all([rows.close(), texts.close()])),
  };
}
