/** What precedes the 32 bytes of a key in a verifier key (C2SP signed-note). */
const ED25519 = 1;

/** The key in a line as `GET /v1/audit/keys` gives it: 32 bytes in base64url; undefined where the line is none. */
export function readVerifierKey(line: string): string | undefined {
  const bytes = Buffer.from(/^[^\s+]+\+[0-9a-f]{8}\+(\S+)$/.exec(line.trim())?.[1] ?? '', 'base64');
  return bytes.length === 33 && bytes[0] === ED25519 ? bytes.subarray(1).toString('base64url') : undefined;
}
