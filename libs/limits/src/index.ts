export { LeasedRate } from './leased-rate.js';
export { LocalRate } from './local-rate.js';
export type { Rate } from './rate.js';
export { SharedRate } from './shared-rate.js';
export { SlidingWindows, type CountedQuota, type Quota, type Taken } from './sliding-windows.js';
