export { ConnectRecorder, type StepNote } from './recorder.js';
export { adviceOf, SILENCE, type RuleId } from './rules.js';
export { STEPS, type Destination, type Step, type Visit } from './steps.js';
export { deleteOldSteps, listSteps, type StepRow } from './step-store.js';
export { challengeOfVerifier } from './visitors.js';
