export { dedicatedOf, type DedicatedDatabases } from './dedicated-databases.js';
export { awsDomain, awsShape, type AwsEnvironment } from './aws.js';
export { ConfigError, parseConfig, processEnvironment, secretText, type Environment } from './parse-config.js';
export { MasterKeys, masterKeysText, revealRing, ringOf } from './master-keys.js';
export { objectStoreShape, type ObjectStoreAddress } from './object-store.js';
export { parseRedisUrl, type RedisAddress } from './redis-address.js';
export { Secret } from './secret.js';
export {
  PLATFORM_KEYS,
  platformShape,
  regionOf,
  runtimeCallerShape,
  tokenIssuerOf,
  tokenVerifierShape,
} from './platform.js';
