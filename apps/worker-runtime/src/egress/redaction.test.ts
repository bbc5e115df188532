import { describe, expect, it } from '@jest/globals';
import { Redaction } from './redaction.js';
import { formsOf } from './secret-forms.js';

const SECRET = 'sk/live+"42"&é=(!)';

describe('Redaction', () => {
  const redaction = new Redaction([SECRET]);

  it.each([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify({ key: SECRET })],
    ['in JSON within JSON', JSON.stringify({ body: JSON.stringify({ key: SECRET }) })],
    ['in JSON of PHP', JSON.stringify({ key: SECRET }).replaceAll('/', '\\/').replaceAll('é', '\\u00e9')],
    ['in JSON of Python', JSON.stringify({ key: SECRET }).replaceAll('é', '\\u00e9')],
    ['in JSON of .NET', JSON.stringify({ key: SECRET }).replaceAll('é', '\\u00E9').replaceAll('&', '\\u0026')],
    ['in JSON of Go', JSON.stringify({ key: SECRET }).replaceAll('&', '\\u0026')],
    [
      'in JSON of PHP within JSON',
      JSON.stringify({ body: JSON.stringify(SECRET).replaceAll('/', '\\/').replaceAll('é', '\\u00e9') }),
    ],
    ['in HTML', `<p>${SECRET.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</p>`],
    ['in XML text', `<p>${SECRET.replaceAll('&', '&amp;')}</p>`],
    ['in a URL', `https://x.example/?key=${encodeURIComponent(SECRET)}`],
    ['in a URL with small letters', encodeURIComponent(SECRET).replaceAll(/%../g, (escape) => escape.toLowerCase())],
    ['in a URL of Python', 'sk/live%2B%2242%22%26%C3%A9%3D%28%21%29'],
    ['in a URL of Java', 'sk%2Flive%2B%2242%22%26%C3%A9%3D%28%21%29'],
    ['in a form', new URLSearchParams({ key: SECRET }).toString()],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['in a Basic header', Buffer.from(`user:${SECRET}`).toString('base64')],
    ['in base64 one byte later', Buffer.from(`users:${SECRET}!`).toString('base64')],
    ['in base64 two bytes later', Buffer.from(`person:${SECRET}!`).toString('base64')],
  ])('takes a secret out %s', (_, text) => {
    expect(redaction.text(text)).toContain('[redacted]');
    expect(redaction.bytes(Buffer.from(text)).toString()).toContain('[redacted]');
  });

  it('leaves bytes around a secret as they are', () => {
    const before = Buffer.from([0xff, 0x00, 0xfe]);
    const redacted = redaction.bytes(Buffer.concat([before, Buffer.from(SECRET), before]));
    expect(redacted).toEqual(Buffer.concat([before, Buffer.from('[redacted]'), before]));
  });

  it('gives back the same bytes where there is no secret', () => {
    const bytes = Buffer.from('nothing to see');
    expect(redaction.bytes(bytes)).toBe(bytes);
  });

  it('looks for no more forms of a usual key than it has', () => {
    expect(formsOf('sk_live_4eC39HqLyjWDarjtT1zdp7dc').length).toBeLessThan(15);
    expect(formsOf(`${'é/&'.repeat(20)}`).length).toBeLessThan(200);
  });
});
