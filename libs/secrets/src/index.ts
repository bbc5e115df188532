export {
  decrypt,
  deriveKey,
  encrypt,
  masterKeyId,
  openWithMaster,
  openWithPresented,
  sealWithMaster,
  sealWithPresented,
} from './envelope.js';
export { PersonKeys } from './person-keys.js';
export { TenantVault, type MovedKey, type SealedValue, type StoredSecret, type WrappedKey } from './tenant-vault.js';
export { shredKeys, type ShreddedKeys } from './shred-keys.js';
