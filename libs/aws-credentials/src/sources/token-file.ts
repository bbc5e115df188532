import { readFile } from 'node:fs/promises';
import { AwsCredentialsError } from '../aws-credentials.js';

/** The token in a file that somebody else keeps new; read each time. @throws AwsCredentialsError */
export async function tokenInFile(setting: string, file: string): Promise<string> {
  const token = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new AwsCredentialsError('refused', `${setting}, ${file}, cannot be read. Correct it, or its mount.`, error);
  });
  // Tokens go into headers and forms as they are: one line of printable characters.
  if (!/^[\x21-\x7e]{1,20000}$/.test(token.trim()))
    throw new AwsCredentialsError('refused', `${setting}, ${file}, holds no token. Correct it, or its mount.`);
  return token.trim();
}
