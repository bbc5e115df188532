import { expect, test } from '@jest/globals';
import { judgeTarget } from './target.js';

const OPENED = [
  { host: 'localhost', port: 9443 },
  { host: 'db.internal', port: 80 },
];

test.each([
  ['https://hooks.example.com/x', 'public'],
  ['https://localhost.example.com/x', 'public'],
  ['https://notlocal/x.local', undefined],
  ['https://mylocal.example/x', 'public'],
  ['https://8.8.8.8/x', 'public'],
  ['https://[2606:4700:4700::1111]/x', 'public'],
  ['https://localhost/x', undefined],
  ['https://LOCALHOST./x', undefined],
  ['https://a.localhost/x', undefined],
  ['https://printer.local/x', undefined],
  ['https://db.internal/x', undefined],
  ['https://nas.home.arpa/x', undefined],
  ['https://intranet/x', undefined],
  ['https://127.0.0.1/x', undefined],
  ['https://2130706433/x', undefined],
  ['https://[::1]/x', undefined],
  ['https://u:p@hooks.example.com/x', undefined],
  ['http://hooks.example.com/x', undefined],
  ['https://localhost:9443/x', 'opened'],
  ['http://localhost:9443/x', 'opened'],
  ['http://db.internal/x', 'opened'],
  ['http://db.internal:81/x', undefined],
])('%s: %s', (url, reach) => {
  const judged = judgeTarget(new URL(url), OPENED);
  expect(judged.reach).toBe(reach);
  expect(judged.problem === undefined).toBe(reach !== undefined);
});
