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
export { DataKeyRing } from './data-key-ring.js';
export { DerivedKeys } from './derived-keys.js';
export { sealedContext, secretContext, type SealedValue } from './sealed-value.js';
export { waitForSchema } from './schema-wait.js';
export { acceptMasterKeys, lastingPurpose, recordMasterKeys, refuseForeignKeys } from './installation-keys.js';
export { openPersonKey, PersonKeys } from './person-keys.js';
export {
  DATA_KEYS,
  dataKeyContext,
  PERSON_KEYS,
  personKeyContext,
  ROOT_KEY_ID,
  SHREDDED,
  WrappingKeys,
} from './wrapping-keys.js';
export { VERSIONS_KEPT } from './secret-versions.js';
export { shredTenant } from './shred.js';
export { TenantVault, type MovedKey, type StoredSecret, type WrappedKey } from './tenant-vault.js';
