import type { HeldCall } from './counter.fixture.js';
import type { SeenRollout, RolloutShop } from './shop.fixture.js';
import type { Stage } from './stage.fixture.js';
import type { Traffic } from './traffic.fixture.js';

/** Where a rollout is met by a fault. */
export interface Scene {
  readonly stage: Stage;
  readonly shop: RolloutShop;
  readonly slug: string;
  readonly traffic: Pick<Traffic, 'more'>;
}

/** A rollout that stands at its moment. */
export interface Reached {
  readonly id: string;
  /** Resolves while it stands there still. @throws Error where it does not */
  stands(): Promise<unknown>;
  /** Lets it go on; what was asked of it meanwhile is answered then. */
  letGo(): Promise<unknown>;
}

/** Something that rollouts do: how one is brought to do it and kept there, and what has to come of it. */
export interface Moment {
  readonly name: string;
  /** Where the rollout stands when the fault comes: its state and its part of the calls. */
  readonly at: readonly [state: string, percent: number];
  readonly ends: { readonly state: string; readonly serves: 'one' | 'two' };
  /** Brings a rollout close, while others are brought to theirs. */
  approach(scene: Scene): Promise<string | undefined>;
  /** Keeps it at the moment: one after the other. */
  reach(scene: Scene, id: string | undefined): Promise<Reached>;
}

const LONG = { seconds: 600 };
const QUICK = { seconds: 1 };
const DRAIN = { drain_seconds: 2 };
/** Every release answers its probe by its own name, which is meant. */
const ANSWERS_DIFFER = { thresholds: { changed_answers: 'ignore' } };

const PROMOTED = { state: 'promoted', serves: 'two' } as const;

/** The moments of which somebody waits for an upstream or for the server's row come first: the controller does four things at once. */
export const MOMENTS: readonly Moment[] = [
  {
    name: 'verdict and automatic rollback',
    at: ['running', 40],
    ends: { state: 'rolled_back', serves: 'one' },
    approach: ({ shop }) => canary(shop, 'turning', [{ percent: 40, ...LONG }]),
    async reach({ stage, slug, traffic }, id = '') {
      const server = await stage.holdServer(slug);
      await server.untilWantedBy('wharf_background');
      stage.counter.turn(slug);
      await traffic.more(60);
      return { id, stands: () => server.untilWantedBy('wharf_background'), letGo: () => server.letGo() };
    },
  },
  {
    name: 'blue-green switch',
    at: ['checking', 0],
    ends: PROMOTED,
    approach: () => Promise.resolve(undefined),
    async reach(scene) {
      const { stage, slug } = scene;
      const { id, probe } = await beginVerification(scene, { strategy: 'blue-green', ...DRAIN });
      const server = await stage.holdServer(slug);
      probe.letGo();
      return { id, stands: () => server.untilWantedBy('wharf_background'), letGo: () => server.letGo() };
    },
  },
  {
    name: 'verification',
    at: ['checking', 0],
    ends: PROMOTED,
    approach: () => Promise.resolve(undefined),
    async reach(scene) {
      const steps = [
        { percent: 50, ...QUICK },
        { percent: 100, ...QUICK },
      ];
      const { id, probe } = await beginVerification(scene, { steps, ...DRAIN });
      return { id, stands: () => probe.arrived, letGo: () => Promise.resolve(probe.letGo()) };
    },
  },
  {
    name: 'rollback by somebody',
    at: ['draining', 100],
    ends: { state: 'aborted', serves: 'one' },
    approach: ({ shop }) => switched(shop, LONG.seconds),
    reach: (scene, id = '') => ask(scene, id, () => scene.shop.api.rollback('shop')),
  },
  {
    name: 'promote',
    at: ['running', 40],
    ends: PROMOTED,
    approach: ({ shop }) => canary(shop, 'two', [{ percent: 40, ...LONG }]),
    reach: (scene, id = '') => ask(scene, id, () => scene.shop.move(id, 'promote')),
  },
  {
    name: 'first step',
    at: ['running', 40],
    ends: PROMOTED,
    approach: ({ shop }) => canary(shop, 'two', [{ percent: 40, ...LONG }]),
    reach: (scene, id = '') => Promise.resolve(inTime(scene, id)),
  },
  {
    name: 'last step',
    at: ['running', 100],
    ends: PROMOTED,
    async approach({ shop }) {
      const steps = [
        { percent: 40, ...QUICK },
        { percent: 100, ...LONG },
      ];
      const { id } = await shop.rollOut({ release: await shop.newRelease('two'), steps, ...DRAIN });
      await shop.until(id, ({ step }) => step === 1);
      return id;
    },
    reach: (scene, id = '') => Promise.resolve(inTime(scene, id)),
  },
  {
    name: 'drain',
    at: ['draining', 100],
    ends: PROMOTED,
    approach: ({ shop }) => switched(shop, LONG.seconds),
    reach: (scene, id = '') => Promise.resolve(inTime(scene, id)),
  },
];

/** Begins a rollout whose candidate is being verified: the probe's call has arrived and is kept waiting. */
async function beginVerification(
  { stage, shop, slug }: Scene,
  order: Readonly<Record<string, unknown>>,
): Promise<{ readonly id: string; readonly probe: HeldCall }> {
  const call = `${slug}-probe`;
  const probe = stage.counter.hold(call);
  await shop.addProbe(call);
  const { id } = await shop.rollOut({ release: await shop.newRelease('two'), ...ANSWERS_DIFFER, ...order });
  await probe.arrived;
  return { id, probe };
}

/** Begins a canary whose last step is short, and waits for its first. */
async function canary(
  shop: RolloutShop,
  name: string,
  steps: ReadonlyArray<{ percent: number; seconds: number }>,
): Promise<string> {
  const release = await shop.newRelease(name);
  const { id } = await shop.rollOut({ release, steps: [...steps, { percent: 100, ...QUICK }], ...DRAIN });
  await shop.until(id, ({ state }: SeenRollout) => state === 'running');
  return id;
}

/** Switches to another release at once. */
async function switched(shop: RolloutShop, drainSeconds: number): Promise<string> {
  const release = await shop.newRelease('two');
  const { id } = await shop.rollOut({ release, strategy: 'blue-green', drain_seconds: drainSeconds });
  await shop.until(id, ({ state }) => state === 'draining');
  return id;
}

/** A rollout that waits for its time to pass, which it does when it is let go. */
function inTime({ stage }: Scene, id: string): Reached {
  return { id, stands: () => Promise.resolve(), letGo: () => stage.passTime(id, LONG.seconds) };
}

/** Asks something of a rollout, and keeps it in the middle of doing that. */
async function ask({ stage, slug }: Scene, id: string, wanted: () => Promise<unknown>): Promise<Reached> {
  const server = await stage.holdServer(slug);
  const answered = wanted();
  answered.catch(() => undefined); // told when it is let go
  return {
    id,
    stands: () => server.untilWantedBy('wharf_control'),
    letGo: () => Promise.all([server.letGo(), answered]),
  };
}
