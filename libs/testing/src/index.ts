export { COMPANY_CLIENT, CompanyProvider } from './company-provider.js';
export { TEST_MASTER_KEY } from './environment.js';
export { startTestServers, type TestServers } from './servers.js';
export { testDatabase, type TestDatabase } from './test-database.js';
export { testRedis, type TestRedis } from './test-redis.js';
export { startWharf, type Wharf, type WharfOptions } from './start-wharf.js';
export { openBrowser } from './browser.js';
export { bundleManifest, packBundle, zipOf, type ArchiveEntry } from './bundles.js';
export { photograph } from './photograph.js';
