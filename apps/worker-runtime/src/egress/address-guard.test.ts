import { describe, expect, it } from '@jest/globals';
import { networkInterfaces } from 'node:os';
import { areReachable } from './address-guard.js';

describe('areReachable', () => {
  const allowances = [
    { host: '10.1.2.3', port: 80 },
    { host: 'Intern.Example', port: 8080 },
  ];

  it('lets an allowed host and port pass and no other port or host', () => {
    expect(areReachable('10.1.2.3', 80, ['10.1.2.3'], { allowances })).toBe(true);
    expect(areReachable('10.1.2.3', 81, ['10.1.2.3'], { allowances })).toBe(false);
    expect(areReachable('10.1.2.4', 80, ['10.1.2.4'], { allowances })).toBe(false);
    expect(areReachable('intern.example', 8080, ['10.9.9.9'], { allowances })).toBe(true);
    expect(areReachable('other.example', 80, ['10.1.2.3'], { allowances })).toBe(false);
  });

  it.each(['169.254.169.254', '168.63.129.16'])('refuses a cloud’s %s behind an allowed name', (address) => {
    expect(areReachable('intern.example', 8080, [address], { allowances })).toBe(false);
    expect(areReachable('intern.example', 8080, ['10.9.9.9', address], { allowances })).toBe(false);
  });

  it('refuses a name when one of its addresses is private', () => {
    expect(areReachable('mixed.example', 443, ['1.1.1.1', '127.0.0.1'], { allowances: [] })).toBe(false);
    expect(areReachable('empty.example', 443, [], { allowances: [] })).toBe(false);
  });
});

describe('a range that an operator allows', () => {
  const reachable = (address: string, port: number, range: string): boolean =>
    areReachable('name.example', port, [address], { allowances: [], ranges: [{ range, port: 443 }] });

  it('opens its addresses on its port and nothing else', () => {
    expect(reachable('10.20.0.1', 443, '10.20.0.0/16')).toBe(true);
    expect(reachable('10.20.255.255', 443, '10.20.0.0/16')).toBe(true);
    expect(reachable('10.20.0.1', 80, '10.20.0.0/16')).toBe(false);
    expect(reachable('10.21.0.1', 443, '10.20.0.0/16')).toBe(false);
    expect(reachable('fd00:1::1', 443, 'fd00:1::/32')).toBe(true);
    expect(reachable('fd00:2::1', 443, 'fd00:1::/32')).toBe(false);
  });

  it('does not open what only looks like one of its addresses', () => {
    expect(reachable('::ffff:10.20.0.1', 443, '10.20.0.0/16')).toBe(false);
    expect(reachable('64:ff9b::a14:1', 443, '10.20.0.0/16')).toBe(false);
    expect(reachable('10.20.0.1', 443, 'not a range')).toBe(false);
  });

  it('never opens link-local, where clouds keep their keys, nor addresses of this machine', () => {
    expect(reachable('169.254.169.254', 443, '169.254.0.0/16')).toBe(false);
    expect(reachable('168.63.129.16', 443, '168.63.0.0/16')).toBe(false);
    expect(reachable('fe80::1', 443, 'fe80::/10')).toBe(false);
    const own = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .filter(({ internal }) => !internal);
    expect(own.filter(({ address, cidr }) => reachable(address, 443, cidr ?? ''))).toEqual([]);
  });

  it('does not spoil a name that has public addresses too, and opens none that has an address elsewhere', () => {
    const access = { allowances: [], ranges: [{ range: '10.20.0.0/16', port: 443 }] };
    expect(areReachable('both.example', 443, ['1.1.1.1', '10.20.0.1'], access)).toBe(true);
    expect(areReachable('both.example', 443, ['10.20.0.1', '127.0.0.1'], access)).toBe(false);
  });
});
