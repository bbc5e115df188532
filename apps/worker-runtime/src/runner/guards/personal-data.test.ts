import { expect, test } from '@jest/globals';
import { PERSONAL_DATA_KINDS } from '#libs/protocol';
import { PersonalData, TooMuchToCheck, type Found } from './personal-data.js';
import { drive } from './steps.js';

async function redact(text: string): Promise<{ readonly shown: string; readonly found: Found }> {
  const found: Found = {};
  const data = await PersonalData.of(PERSONAL_DATA_KINDS);
  return { shown: await drive(data.redact(text, found)), found };
}

test.each<[string, string]>([
  ['Write to ada@example.com, or to ada.l+wharf@mail.example.co.uk.', 'Write to [email], or to [email].'],
  ['see...bob@example.com- and "ü.müller@exämple.de"', 'see...[email]- and "[email]"'],
  [String.raw`{"text":"one\nada@example.com\n4111111111111111"}`, String.raw`{"text":"one\n[email]\n[credit_card]"}`],
  ['call +49 30 901820, (415) 555-2671 or 0044 20 7946 0958', 'call [phone], [phone] or [phone]'],
  ['call 415-555-2671 now', 'call [phone] now'],
  ['4111 1111 1111 1111 and 3782-822463-10005', '[credit_card] and [credit_card]'],
  ['12 1234 4111 1111 1111 1111 x', '12 1234 [credit_card] x'],
  ['pay DE89 3704 0044 0532 0130 00 TODAY', 'pay [iban] TODAY'],
  ['GB82WEST12345698765432.', '[iban].'],
  ['from 203.0.113.7:443 and 2001:db8::8a2e:370:7334.', 'from [ip_address]:443 and [ip_address].'],
])('finds what is personal in %p', async (text, shown) => {
  expect((await redact(text)).shown).toBe(shown);
});

test.each([
  'order 1234567890123, 4111111111111112 and 1234-5678-9012-3456', // Luhn, and no issuer's
  'DE89 3704 0044 0532 0130 01 and AB12CDEFGHIJKLMNOP', // the IBAN's own check
  'at 1700000000000, 1700000000000000 or 2026-11-22T01:14:28.123456789Z (01:14:28)',
  '3f2504e0-4f89-11d3-9a0c-0305e82c3301 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'version v1.2.3.4, 1.2.3, 999.1.1.1, std::vector, a::b, ::1',
  'npm i @scope/name@1.2.3 and git@host:path, 12.50 EUR, +12, 1-2-3-4-5-6-7-8-9',
  'invoice 2026-0000-1234, part 415-555-26715, ISBN 978-3-16-148410-0',
])('leaves %p alone', async (text) => {
  expect(await redact(text)).toEqual({ shown: text, found: {} });
});

test('counts what it found by kind', async () => {
  const { found } = await redact('a@example.com b@example.com 203.0.113.7');
  expect(found).toEqual({ email: 2, ip_address: 1 });
});

test('finds within characters that are two units long, and comes to an end', async () => {
  expect((await redact('\u{1D41A}@x \u{1D41A}\u{1D41A}@ a@example.com')).shown).toContain('[email]');
});

test('refuses to check without end', async () => {
  await expect(redact('+1 2345678901 '.repeat(60_000))).rejects.toThrow(TooMuchToCheck);
});

test('finds what lies across the slices that a long text is searched in, once', async () => {
  const between = 'ada@example.com 4111 1111 1111 1111 \u{1F600}';
  for (const before of [16_370, 16_383, 16_384, 16_390, 32_760]) {
    const { shown, found } = await redact(`${'. '.repeat(before / 2)}${between}${' .'.repeat(20_000)}`);
    expect(found).toEqual({ email: 1, credit_card: 1 });
    expect(shown).toContain('[email] [credit_card] \u{1F600}');
  }
});

test.each([
  ['a text that is nearly an address throughout', `${'a.'.repeat(8_000)}@`.repeat(60)],
  ['numbers that are to be checked', '+1 2345678901 '.repeat(10_000)],
])('others have their turn while %s is searched', async (_what, text) => {
  let turns = 0;
  let over = false;
  const others = (): void => {
    turns += 1;
    if (!over) setImmediate(others);
  };
  setImmediate(others);
  await redact(text);
  over = true;
  // Searched at once, it would leave them one or two.
  expect(turns).toBeGreaterThan(3);
});
