import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate that nobody but itself has signed, and its key, as PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const DAY_MS = 86_400_000;

/** Makes a self-signed certificate (RFC 5280, 4.1) for a host name, or for a loopback address where it is one. */
export function selfSigned(host: string, validUntilMs = Date.now() + DAY_MS): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, oid([1, 2, 840, 10045, 4, 3, 2]));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid([2, 5, 4, 3]), der(0x0c, Buffer.from(host)))));
  const address = /^\d+(?:\.\d+){3}$/.test(host) ? Buffer.from(host.split('.').map(Number)) : undefined;
  const alternative = address === undefined ? der(0x82, Buffer.from(host)) : der(0x87, address);
  const extensions = der(
    SEQUENCE,
    der(SEQUENCE, oid([2, 5, 29, 17]), der(0x04, der(SEQUENCE, alternative))),
    der(
      SEQUENCE,
      oid([2, 5, 29, 19]),
      der(0x01, Buffer.from([0xff])),
      der(0x04, der(SEQUENCE, der(0x01, Buffer.from([0xff])))),
    ),
  );
  const toSign = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(SEQUENCE, time(validUntilMs - 2 * DAY_MS), time(validUntilMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey));
  const lines = der(SEQUENCE, toSign, algorithm, signature)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second, ...rest.flatMap((part) => base128(part))];
  return der(0x06, Buffer.from(bytes));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
}
