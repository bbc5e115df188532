import { Secret } from '#libs/config';

/** Where the test run's servers are, as the run's set-up left it for the test processes. */
interface TestEnvironment {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** The template database that every test database is a copy of. */
export const TEMPLATE = 'wharf_template';

/** One key for the whole run: the roles' passwords, which all databases share, derive from it. */
export const TEST_MASTER_KEY = new Secret(Buffer.alloc(32, 7).toString('base64'));

/** The test run's servers. @throws Error outside a test run */
export function testEnvironment(): TestEnvironment {
  const databaseUrl = process.env['WHARF_TEST_DATABASE_URL'];
  const redisUrl = process.env['WHARF_TEST_REDIS_URL'];
  if (databaseUrl === undefined || redisUrl === undefined) {
    throw new Error('Run tests with `npm test`, which starts PostgreSQL and Redis for them.');
  }
  return { databaseUrl, redisUrl };
}
