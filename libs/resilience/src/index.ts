export { circuitBreaker, isBreakerOpen, type BreakerOptions } from './circuit-breaker.js';
export { withDeadline, type Deadline } from './deadline.js';
export { FairAdmission, type AdmissionBounds, type CallWeight, type Shed } from './fair-admission.js';
export { Rounds, type RoundsOptions } from './rounds.js';
export { Slots } from './slots.js';
