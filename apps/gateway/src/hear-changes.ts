import { listenForChanges, type ChangeListener } from '#libs/database';
import type { GatewayConfig } from './config.js';
import type { DocumentDoor } from './documents/document-door.js';

/** Hears what the database tells: that rows of a tenant were changed, and which of its documents. */
export async function hearChanges(
  { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: masterKey }: GatewayConfig,
  forget: (tenantId: string) => void,
  documents: DocumentDoor,
): Promise<ChangeListener> {
  const options = { databaseUrl, role: 'wharf_gateway', masterKey } as const;
  const rows = await listenForChanges({ ...options, onChange: forget });
  const written = (payload: string): void => documents.hear(payload);
  const texts = await listenForChanges({ ...options, channel: 'wharf_documents', onChange: written });
  return {
    get connected() {
      return rows.connected;
    },
    close: async () => void (await Promise.all([rows.close(), texts.close()])),
  };
}
