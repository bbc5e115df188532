import { expect, test } from '@jest/globals';
import { parseRedisUrl } from './redis-address.js';

test.each([
  ['redis://localhost', { shape: 'single', url: 'redis://localhost' }],
  ['rediss://:p@[::1]:6380/3', { shape: 'single', url: 'rediss://:p@[::1]:6380/3' }],
  [
    'redis+sentinel://app:p%40ss%2F@a:1,[::1],b/main/2?sentinel-password=s',
    {
      shape: 'sentinel',
      sentinels: [
        { host: 'a', port: 1 },
        { host: '::1', port: 26_379 },
        { host: 'b', port: 26_379 },
      ],
      master: 'main',
      db: 2,
      username: 'app',
      password: 'p@ss/',
      sentinelPassword: 's',
      tls: false,
    },
  ],
  [
    'rediss+cluster://:p@a:7000,b',
    {
      shape: 'cluster',
      nodes: [
        { host: 'a', port: 7_000 },
        { host: 'b', port: 6_379 },
      ],
      password: 'p',
      tls: true,
    },
  ],
])('%s names a Redis', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  ['http://localhost', /is not the URL of a Redis: write redis:/],
  ['redis://a,b', /is not the URL/],
  ['redis+ring://a', /is not the URL/],
  ['redis+sentinel://a,b', /does not name the master/],
  ['redis+sentinel://a/main/x', /does not name the master/],
  ['redis+sentinel://a/main?password=s3cret', /has "password" in its query/],
  ['redis+sentinel://a:99999/main', /has "a:99999" among its hosts/],
  ['redis+cluster://a,,b', /has "" among its hosts/],
  ['redis+cluster://a/1', /has only one/],
  ['redis+cluster://a?x=1', /has a query/],
  ['redis+cluster://:%zz@a', /write "%" itself as %25/],
])('%s is refused with what to write, and without what is secret in it', (url, said) => {
  expect(() => parseRedisUrl(url)).toThrow(said);
  expect(() => parseRedisUrl(url)).not.toThrow(/s3cret/);
});
