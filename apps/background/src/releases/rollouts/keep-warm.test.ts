import { expect, test } from '@jest/globals';
import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import type { Rollout } from '#libs/rollouts';
import { createLogger } from '#libs/telemetry';
import { KeepWarm } from './keep-warm.js';

/** Counts how often the old release's subject is looked for; it is asked as often. */
class Asked {
  count = 0;
  readonly warm: KeepWarm;

  constructor() {
    const database = {
      asTenant: async () => {
        this.count += 1;
      },
    };
    // Only what the class uses: it never comes to the runtime where there is no subject.
    this.warm = new KeepWarm(
      database as unknown as Database,
      {} as unknown as RuntimeClient,
      createLogger('background', 'silent'),
    );
  }

  async look(id: string, stepSeconds: number): Promise<void> {
    const rollout = { tenantId: 't', id, stepSeconds };
    await this.warm.keep(rollout as unknown as Rollout, new AbortController().signal); // the fields it reads
  }
}

test.each([0, 0.4, 1.1])('looks 1.3 s apart, the first after %s s, ask once in twenty seconds', async (first) => {
  const asked = new Asked();
  for (let seconds = first; seconds < 60; seconds += 1.3) await asked.look('r', seconds);
  expect(asked.count).toBe(3);
});

test('each rollout has times of its own', async () => {
  const asked = new Asked();
  for (const id of ['one', 'two', 'one']) await asked.look(id, 7);
  expect(asked.count).toBe(2);
});
