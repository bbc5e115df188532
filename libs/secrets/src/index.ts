export {
  decrypt,
  deriveKey,
  deriveKeys,
  deriveLasting,
  encrypt,
  LASTING,
  masterKeyId,
  openWithMaster,
  openWithPresented,
  sealWithMaster,
  sealWithPresented,
} from './envelope.js';
export { acceptMasterKeys, recordMasterKeys, refuseForeignKeys } from './installation-keys.js';
export { PersonKeys } from './person-keys.js';
export { TenantVault, type SealedValue, type StoredSecret } from './tenant-vault.js';
export { countRootKeyUses, rewrapBatch, type RewrapBatch, type RootKeyUse } from './rewrap.js';
export { SEALED_TABLES, type SealedTable } from './sealed-rows.js';
