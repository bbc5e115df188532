import { describe, expect, test } from '@jest/globals';
import { allowsTool, firstScope, opens, scopeFor, scopesOf, withImplied, type ServerScopes } from './scopes.js';

const ORDERS: ServerScopes = { slug: 'orders', writes: true, asksFor: 'read', groups: { refunds: ['refund'] } };

describe('the scopes of a server', () => {
  test('are reading, its groups, and writing where it has opted in', () => {
    expect(scopesOf(ORDERS)).toEqual(['orders:read', 'orders:write', 'orders:refunds']);
    expect(scopesOf({ ...ORDERS, writes: false })).toEqual(['orders:read', 'orders:refunds']);
  });

  test.each([
    [['mcp'], ['find', 'refund', 'drop']],
    [['mcp:read'], ['find']],
    [['orders:read'], ['find']],
    [['orders:write'], ['find', 'refund', 'drop']],
    [['orders:refunds'], ['refund']],
    [['order:write'], []],
    [['orders-eu:write'], []],
    [['orders:'], []],
    [['orders:__proto__'], []],
    [['orders'], []],
    [['mcp:write'], []],
    [[''], []],
  ])('%j allow %j', (held, expected) => {
    const tools = [
      { name: 'find', access: 'read' },
      { name: 'refund', access: 'write' },
      { name: 'drop', access: 'write' },
    ] as const;
    expect(tools.filter((tool) => allowsTool(held, ORDERS, tool)).map(({ name }) => name)).toEqual(expected);
    for (const tool of tools) expect(allowsTool([scopeFor(ORDERS, tool)], ORDERS, tool)).toBe(true);
  });
});

test.each([
  [['mcp'], 'orders', true],
  [['orders:refunds'], 'orders', true],
  [['billing:read'], 'orders', false],
  [['orders-eu:read'], 'orders', false],
  [['management', 'openid'], 'orders', false],
  [['billing:read'], undefined, true],
  [['management'], undefined, false],
])('%j open the URL of %s: %s', (held, slug, expected) => {
  expect(opens(held, slug)).toBe(expected);
});

test('what was allowed holds what is narrower', () => {
  const offered = ['mcp', 'mcp:read', 'orders:read', 'orders:write', 'orders:refunds', 'billing:read'];
  expect(withImplied(['mcp'], offered)).toEqual(offered);
  expect(withImplied(['mcp:read'], offered)).toEqual(['mcp:read', 'orders:read', 'billing:read']);
  expect(withImplied(['orders:write'], offered)).toEqual(['orders:read', 'orders:write', 'orders:refunds']);
  expect(withImplied(['management'], ['management'])).toEqual(['management']);
});

test('what is asked for at first fits into one header, however many servers want writing', () => {
  const many = Array.from({ length: 200 }, (_, at): ServerScopes => ({ ...ORDERS, slug: `s${at}`, asksFor: 'write' }));
  expect(firstScope(many, undefined).split(' ')).toHaveLength(21);
  expect(firstScope(many, 's199')).toBe('s199:read s199:write');
  expect(firstScope([{ ...ORDERS, writes: false, asksFor: 'write' }], 'orders')).toBe('orders:read');
});
