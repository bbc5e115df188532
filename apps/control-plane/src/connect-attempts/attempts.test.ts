import { describe, expect, test } from '@jest/globals';
import type { StepRow } from '#libs/connect-attempts';
import { attemptsOf } from './attempts.js';

const START_MS = Date.UTC(2026, 10, 21, 10);

interface Given {
  readonly who?: string;
  readonly rule?: string;
  readonly program?: string;
  readonly client?: string;
}

/** A row at a second; `who` is the thread of a registered client, or nobody's. */
function row(second: number, step: string, given: Given = {}): StepRow {
  const { who = '', rule = 'ok', program = 'agent/1', client = who } = given;
  const at = new Date(START_MS + second * 1_000);
  return {
    id: `${second}`,
    resource: 'https://wharf.example/t/acme/mcp',
    visitor: `office ${program}`,
    place: 'office',
    thread: who,
    step,
    rule,
    program,
    client: client === '' ? null : client,
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

  test.each(['alpha/1', 'beta/1'])('one with a client document is not filed as %s that could not register', (alpha) => {
    const document = { who: 'one', client: 'https://beta.example/client.json' };
    const rows = [
      row(0, 'challenge', { program: alpha }),
      row(1, 'registration', { program: alpha, rule: 'registration_invalid' }),
      row(2, 'challenge', { program: 'beta/1' }),
      row(3, 'authorize', { ...document, program: 'browser', rule: 'client_document_unusable' }),
    ];
    expect(shown(rows)).toEqual(
      expect.arrayContaining([
        [document.client, 'refused', 'client_document_unusable'],
        [null, 'refused', 'registration_invalid'],
      ]),
    );
    const later = [...rows, row(4, 'token', { ...document, program: 'beta/1', rule: 'code_invalid' })];
    expect(attemptsOf(later).find(({ client }) => client !== null)?.steps).not.toContainEqual(
      expect.objectContaining({ step: 'registration' }),
    );
  });

  test('a browser goes on where the only agent was, and where there are two with neither', () => {
    const browser = row(3, 'authorize', { who: 'one', program: 'browser', client: 'https://beta.example/c' });
    const agents = [row(0, 'challenge', { program: 'alpha/1' }), row(1, 'challenge', { program: 'beta/1' })];
    expect(attemptsOf([...agents.slice(1), browser]).map(({ agent }) => agent)).toEqual(['beta/1']);
    expect(attemptsOf([...agents, browser]).map(({ agent }) => agent)).toEqual(['browser', 'beta/1', 'alpha/1']);
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
