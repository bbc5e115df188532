export { circuitBreaker, isBreakerOpen, type BreakerOptions } from './circuit-breaker.js';
export { withDeadline, type Deadline } from './deadline.js';
export { Slots } from './slots.js';
