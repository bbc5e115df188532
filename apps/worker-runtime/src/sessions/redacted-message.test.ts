import { expect, it } from '@jest/globals';
import { Redaction } from '../egress/redaction.js';
import { redactedMessage } from './redacted-message.js';

it.each([
  [
    'text',
    'hunter2!',
    { result: { text: 'it is hunter2!', 'hunter2!': 1 } },
    { result: { text: 'it is [redacted]', '[redacted]': 1 } },
  ],
  ['quotes and backslashes', 'a"b\\c', { text: 'x a"b\\c y' }, { text: 'x [redacted] y' }],
  ['what is JSON itself', '{"id":', { id: 1, text: '{"id":' }, { id: 1, text: '[redacted]' }],
  ['a word of JSON', 'true', { ok: true, text: 'true' }, { ok: true, text: '[redacted]' }],
])('takes out a secret made of %s and leaves JSON', (_what, secret, message, shown) => {
  const redacted = redactedMessage(Buffer.from(JSON.stringify(message)), new Redaction([secret]));
  expect(JSON.parse(redacted.toString())).toEqual(shown);
});

it('leaves a message without a secret as it is, byte for byte', () => {
  const payload = Buffer.from('{ "spaced" : 1 }');
  expect(redactedMessage(payload, new Redaction(['hunter2!']))).toBe(payload);
});

it('cuts what is no JSON', () => {
  expect(redactedMessage(Buffer.from('{ hunter2!'), new Redaction(['hunter2!'])).toString()).toBe('{ [redacted]');
});
