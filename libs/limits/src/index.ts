export { LeasedQuota, type QuotaVerdict, type WhenUncertain } from './leased-quota.js';
export { LocalRate } from './local-rate.js';
export type { Rate } from './rate.js';
export { SharedRate } from './shared-rate.js';
export { SharedSlots, type SlotVerdict } from './shared-slots.js';
export { SlidingWindows, type CountedQuota, type Quota, type Taken } from './sliding-windows.js';
