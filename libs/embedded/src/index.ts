export { bubblewrapEnvironment, findBubblewrap } from './bubblewrap.js';
export { openDataFolder, type DataFolder } from './data-folder.js';
export { EmbeddedError } from './embedded-error.js';
export { freePort } from './free-port.js';
export {
  findMasterKey,
  makeMasterKey,
  masterKeyFile,
  provideIntakeKey,
  provideOperatorKey,
  type OperatorKey,
} from './keys.js';
export { startPostgres, type Durability, type EmbeddedServer } from './postgres.js';
export { findInstalledPostgres } from './postgres-binaries.js';
export { startRedis } from './redis.js';
export { provideRedisBinary, type RedisBinary } from './redis-binary.js';
export { findPrometheus, type PrometheusPrograms } from './prometheus.js';
