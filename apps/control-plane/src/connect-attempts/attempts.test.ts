import { describe, expect, test } from '@jest/globals';
import type { StepRow } from '#libs/connect-attempts';
import { attemptsOf } from './attempts.js';

const START_MS = Date.UTC(2026, 10, 21, 10);

/** A row at a second; `who` is the thread of a registered client, or nobody's. */
function row(second: number, step: string, { who = '', rule = 'ok' } = {}): StepRow {
  const at = new Date(START_MS + second * 1_000);
  return {
    id: `${second}`,
    resource: 'https://wharf.example/t/acme/mcp',
    visitor: 'office',
    place: 'office',
    thread: who,
    step,
    rule,
    program: 'agent/1',
    client: who === '' ? null : who,
    first_at: at,
    last_at: at,
    times: 1,
  };
}

const shown = (rows: StepRow[]) =>
  attemptsOf(rows).map(({ client, state, stopped_at: stop }) => [client, state, stop?.rule]);

describe('of several agents at one address', () => {
  test('one that was refused stays refused, whatever the others look up after it', () => {
    const rows = [
      row(0, 'challenge'),
      row(1, 'authorize', { who: 'one', rule: 'pkce_missing' }),
      row(2, 'challenge'),
      row(3, 'resource_metadata'),
    ];
    expect(shown(rows)).toEqual([['one', 'refused', 'pkce_missing']]);
  });

  test('one that is connected stays connected', () => {
    const rows = [row(1, 'token', { who: 'one' }), row(2, 'list', { who: 'one' }), row(3, 'challenge')];
    expect(shown(rows)).toEqual([['one', 'connected', undefined]]);
  });

  test('one that cannot register is shown apart from one that is further on', () => {
    const rows = [
      row(0, 'challenge'),
      row(1, 'registration', { who: 'one' }),
      row(2, 'registration', { rule: 'registration_redirect_uri' }),
      row(3, 'authorize', { who: 'one' }),
    ];
    expect(shown(rows)).toEqual(
      expect.arrayContaining([
        ['one', 'waiting', null],
        [null, 'refused', 'registration_redirect_uri'],
      ]),
    );
  });

  test('a refusal that could be any of theirs is nobody’s', () => {
    const rows = [
      ...['one', 'two'].flatMap((who) => [row(1, 'token', { who }), row(2, 'list', { who })]),
      row(3, 'connect', { rule: 'token_expired' }),
    ];
    expect(shown(rows).toSorted()).toEqual([
      [null, 'refused', 'token_expired'],
      ['one', 'connected', undefined],
      ['two', 'connected', undefined],
    ]);
  });
});

describe('a refused agent', () => {
  test('that got past the step since is not refused', () => {
    const rows = [
      row(0, 'registration', { who: 'one' }),
      row(1, 'authorize', { who: 'one', rule: 'resource_missing' }),
      row(2, 'authorize', { who: 'one' }),
    ];
    expect(shown(rows)).toEqual([['one', 'waiting', null]]);
    rows.push(row(3, 'token', { who: 'one' }), row(4, 'list', { who: 'one' }));
    expect(shown(rows)).toEqual([['one', 'connected', undefined]]);
  });

  test('whose token stopped working is refused until it connects again', () => {
    const rows = [row(1, 'token', { who: 'one' }), row(2, 'list', { who: 'one' })];
    const refused = [...rows, row(3, 'connect', { rule: 'access_ended' })];
    expect(shown(refused)).toEqual([['one', 'refused', 'access_ended']]);
    expect(shown([...refused, row(4, 'token', { who: 'one' })])).toEqual([['one', 'refused', 'access_ended']]);
    expect(shown([...refused, row(5, 'connect', { who: 'one' })])).toEqual([['one', 'waiting', null]]);
  });
});
