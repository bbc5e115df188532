import { expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { createLogger } from '#libs/telemetry';
import { Redaction } from '../egress/redaction.js';
import { WorkerLog } from './worker-log.js';

const SECRET = 'SECRET-of-the-tenant';

/** What the log has of what a worker prints, in these chunks. */
async function logged(...chunks: string[]): Promise<string[]> {
  const logger = createLogger('test', 'silent');
  const lines: string[] = [];
  logger.warn = ((_fields: { output?: string }) => lines.push(_fields.output ?? '')) as typeof logger.warn; // all it calls
  const log = new WorkerLog(logger, { pid: 1 });
  const redaction = new Redaction([SECRET]);
  log.assign({ tenantId: 'tenant', redact: (line) => redaction.text(line) });
  const printed = new PassThrough();
  log.drain(printed);
  for (const chunk of chunks) printed.write(chunk);
  printed.end();
  await new Promise((resolve) => printed.once('end', resolve));
  return lines;
}

it('takes a secret out of a line that came in pieces', async () => {
  expect(await logged('my key is SECRET-of', '-the-tenant, sir\nnext\n')).toEqual([
    'my key is [redacted], sir',
    'next',
  ]);
});

it('shows no part of a secret where it cuts a line', async () => {
  const [line = ''] = await logged(`${'x'.repeat(1_990)}SECRET-of`, '-the-tenant and more\n');
  expect(line).toBe(`${'x'.repeat(1_990)}[redacted]`);
});

it('shows no part of a secret where it stops reading a line', async () => {
  for (const read of [2_000 + 96 * 1024, 4_000 + 96 * 1024]) {
    const lines = await logged('x'.repeat(read - 9), `${SECRET}${'y'.repeat(200_000)}`, `${SECRET}\nnext\n`);
    expect(lines.join()).not.toContain('SECRET');
    expect(lines).toEqual(['x'.repeat(2_000), 'next']);
  }
});

it('shows no secret of a line that is made of secrets', async () => {
  const lines = await logged(`${SECRET.repeat(10_000)}\n`);
  expect(lines.join()).not.toContain('SECRET');
});
