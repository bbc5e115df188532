export { keepOldMajor, type Following } from './keep-old-major.js';
export { LATENCY_CLASSES, latencyClass, latencyOfClass, percentile } from './latencies.js';
export { findOpenRollout, findRollout, listRollouts, lockRollout, type Rollout, type RolloutPage } from './rollout.js';
export { addSamples, readSamples, type Sample } from './samples.js';
export { findHold, holdAt, readSchedule, writeSchedule, type ReleaseSchedule, type ReleaseWindow } from './schedule.js';
export {
  DEFAULT_DRAIN_SECONDS,
  DEFAULT_STEPS,
  isOpen,
  ROLLOUT_STATES,
  STRATEGIES,
  type RolloutState,
  type Step,
  type Strategy,
} from './states.js';
export { isPublishing, storeRollout, toolsOfBoth, type NewRollout, type ToolsOfBoth } from './store-rollout.js';
export { ANSWER_POLICIES, DEFAULT_THRESHOLDS, thresholdsOf, type Thresholds } from './thresholds.js';
export {
  abortRollout,
  acceptChanges,
  beginStep,
  CONTROLLER,
  endDrain,
  holdRollout,
  pauseRollout,
  resumeRollout,
  rollBackRollout,
  switchRollout,
  withdraw,
  type Cause,
} from './transitions.js';
