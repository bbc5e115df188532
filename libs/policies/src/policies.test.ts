import { describe, expect, test } from '@jest/globals';
import {
  compileExpression,
  RuleSet,
  UnknownFact,
  unknownMap,
  type Rule,
  type ToolCallFacts,
  type Verdict,
} from './index.js';

const FACTS: ToolCallFacts = {
  principal: { kind: 'person', id: 'p-1', role: 'developer', groups: ['support'], scopes: ['orders:write'] },
  client: { id: 'c-1' },
  source: { address: '10.1.2.3' },
  now: new Date('2026-11-21T23:30:00Z'),
  region: 'eu',
  tool: {
    name: 'delete_order',
    server: 'orders',
    access: 'write',
    destructive: true,
    annotations: { idempotentHint: true },
  },
  arguments: { id: 'o-1', amount: 250, tags: ['a', 'b'] },
};

function rule(expression: string, differs: Partial<Rule> = {}): Rule {
  return { name: 'r', scope: 'tool_calls', effect: 'deny', message: null, servers: [], expression, ...differs };
}

function judge(rules: readonly Rule[], differs: Partial<ToolCallFacts> = {}): Verdict {
  return new RuleSet(rules).judgeToolCall({ ...FACTS, ...differs });
}

test.each([
  ['tool.name.startsWith("delete_") && tool.server == "orders"', true],
  ['tool.destructive && !("admins" in principal.groups)', true],
  ['arguments.amount > 100 && arguments.tags.exists(t, t == "b")', true],
  ['has(arguments.customer)', false],
  ['inNetwork(source.address, "10.0.0.0/8")', true],
  ['inNetwork(source.address, "2001:db8::/32")', false],
  ['now.getHours("Europe/Berlin") == 0 && now.getDayOfWeek("Europe/Berlin") == 0', true],
  ['tool.name.matches("^(delete|drop)_")', true],
  ['region == "us" || principal.kind == "api-key" || client.id == ""', false],
  ['has(tool.annotations.idempotentHint) && tool.annotations.idempotentHint', true],
])('%s is %s', (expression, denied) => {
  expect(judge([rule(expression)]).kind).toBe(denied ? 'deny' : 'allow');
});

test('an address of IPv4 is the same one when it is written as IPv6', () => {
  const source = { address: '::ffff:10.1.2.3' };
  expect(judge([rule('inNetwork(source.address, "10.0.0.0/8")')], { source }).kind).toBe('deny');
});

test('the first rule that is true decides, and those of other servers are not asked', () => {
  const first = rule('tool.destructive', { name: 'first', effect: 'allow' });
  const second = rule('true', { name: 'second', message: 'no' });
  expect(judge([first, second])).toEqual({ kind: 'allow', rule: 'first' });
  expect(judge([second, first])).toEqual({ kind: 'deny', rule: 'second', message: 'no' });
  expect(judge([rule('true', { servers: ['crm'] })])).toEqual({ kind: 'allow', rule: undefined });
});

test('a rule that fails refuses, whatever it would have done, and says nothing of what was sent', () => {
  const failing = rule('arguments.customer == "secret-text"', { effect: 'allow' });
  expect(judge([failing])).toEqual({ kind: 'error', rule: 'r', why: 'it could not be answered (no_such_key)' });
  expect(judge([rule('nonsense')]).kind).toBe('error');
});

test('arguments that would take too long to be looked at are refused', () => {
  const tags = Array.from({ length: 40_000 }, (_, at) => `${at}`);
  const verdict = judge([rule('arguments.tags.exists(t, t == "x")')], { arguments: { tags } });
  expect(verdict).toMatchObject({ kind: 'error', why: expect.stringContaining('too large') });
  expect(judge([rule('tool.destructive')], { arguments: { tags } }).kind).toBe('deny');
});

test('what is not known decides nothing, and is no hindrance where the answer is known without', () => {
  const past = { arguments: unknownMap('the arguments') };
  expect(judge([rule('tool.name == "other" && arguments.amount > 1')], past).kind).toBe('allow');
  expect(judge([rule('tool.destructive || arguments.amount > 1')], past).kind).toBe('deny');
  for (const asked of ['arguments.amount > 1', 'has(arguments.amount)', 'size(arguments) > 0', '"a" in arguments'])
    expect(() => judge([rule(asked)], past)).toThrow(UnknownFact);
});

describe('what cannot be written', () => {
  test.each([
    ['tool.nme == "x"', 'nme', 5],
    ['tool.name', 'string', 0],
    ['tool.name ==', 'Unexpected', 12],
    ['arguments.a.all(x, arguments.b.all(y, x == y))', 'another loop', 19],
    ['cel.bind(x, "a" + "a", x == "aa")', 'bind', 0],
    ['arguments.a.split("") == []', 'split', 0],
    ['tool.name.matches("(a")', 'RE2', 18],
    ['tool.name.matches("(?=a)")', 'RE2', 18],
    ['tool.name.matches(arguments.pattern)', 'written in the rule', 18],
    ['inNetwork(source.address, "10.0.0.0/40")', 'CIDR', 26],
    ['now.getHours("Mars/Olympus") == 1', 'IANA', 13],
    [`${'true && '.repeat(120)}true`, 'maxAstNodes', 0],
    ['"' + 'a'.repeat(2_000) + '" == ""', '2000', 2_000],
  ])('%s', (expression, part, at) => {
    const compiled = compileExpression(expression, 'tool_calls');
    expect(compiled).toMatchObject({ kind: 'faulty', message: expect.stringContaining(part) });
    if (at > 0) expect(compiled).toMatchObject({ at });
  });

  test('a rule on every request knows of no tool', () => {
    expect(compileExpression('tool.name == "x"', 'requests')).toMatchObject({ kind: 'faulty' });
    expect(compileExpression('inNetwork(source.address, "10.0.0.0/8")', 'requests').kind).toBe('compiled');
  });

  test('a pattern that goes back over what it has read elsewhere takes no longer here', () => {
    const name = `${'a'.repeat(4_000)}!`;
    expect(judge([rule('tool.name.matches("^(a+)+$")')], { tool: { ...FACTS.tool, name } }).kind).toBe('allow');
  });
});
