import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { dedicatedDatabasesText } from './dedicated-databases.js';

const read = (text?: string): Record<string, string> =>
  Object.fromEntries([...dedicatedDatabasesText().parse(text)].map(([name, url]) => [name, url.reveal()]));

test('databases are named with commas between, or as JSON; without a text there is none', () => {
  const both = { acme: 'postgres://a:p,w=1@one/a?x=y', 'big-co': 'postgresql://b@two/b' };
  expect(read('acme=postgres://a:p,w=1@one/a?x=y, big-co=postgresql://b@two/b')).toEqual(both);
  expect(read(JSON.stringify(both))).toEqual(both);
  expect(read()).toEqual({});
  expect(read(' ')).toEqual({});
});

test('an URL is never printed', () => {
  expect(inspect(dedicatedDatabasesText().parse('acme=postgres://a:pw@one/a'), { depth: 9 })).not.toContain('pw');
});

test.each([
  ['a name in upper case', 'Acme=postgres://pw@one/a', 'entry 1 needs the form'],
  ['no name', 'postgres://pw@one/a', 'entry 1 needs the form'],
  ['a long name', `${'a'.repeat(41)}=postgres://pw@one/a`, 'entry 1 needs the form'],
  ['another protocol', 'acme=mysql://pw@one/a', 'acme needs an URL'],
  ['no URL', '{"acme":5}', 'acme needs an URL'],
  ['a name twice', 'acme=postgres://pw@one/a,acme=postgres://pw@two/a', 'acme is there twice'],
  ['one database twice', 'acme=postgres://pw@one/a,b=postgres://pw@one/a', 'b leads where another'],
  ['broken JSON', '{"acme":"postgres://pw@one', 'begins like JSON'],
])('%s is refused in words without a secret', (_, text, words) => {
  const { error } = dedicatedDatabasesText().safeParse(text);
  expect(error?.issues[0]?.message).toContain(words);
  expect(error?.issues[0]?.message).not.toContain('pw');
});
