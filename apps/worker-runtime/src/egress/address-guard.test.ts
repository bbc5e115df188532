import { describe, expect, it } from '@jest/globals';
import { areReachable } from './address-guard.js';

describe('areReachable', () => {
  const allowances = [
    { host: '10.1.2.3', port: 80 },
    { host: 'Intern.Example', port: 8080 },
  ];

  it('lets an allowed host and port pass and no other port or host', () => {
    expect(areReachable('10.1.2.3', 80, ['10.1.2.3'], allowances)).toBe(true);
    expect(areReachable('10.1.2.3', 81, ['10.1.2.3'], allowances)).toBe(false);
    expect(areReachable('10.1.2.4', 80, ['10.1.2.4'], allowances)).toBe(false);
    expect(areReachable('intern.example', 8080, ['10.9.9.9'], allowances)).toBe(true);
    expect(areReachable('other.example', 80, ['10.1.2.3'], allowances)).toBe(false);
  });

  it.each(['169.254.169.254', '168.63.129.16'])('refuses a cloud’s %s behind an allowed name', (address) => {
    expect(areReachable('intern.example', 8080, [address], allowances)).toBe(false);
    expect(areReachable('intern.example', 8080, ['10.9.9.9', address], allowances)).toBe(false);
  });

  it('refuses a name when one of its addresses is private', () => {
    expect(areReachable('mixed.example', 443, ['1.1.1.1', '127.0.0.1'], [])).toBe(false);
    expect(areReachable('empty.example', 443, [], [])).toBe(false);
  });
});
