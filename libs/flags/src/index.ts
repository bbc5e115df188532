export { FEATURE_FLAGS, FLAG_NAMES, type FlagName, type Flags } from './catalogue.js';
export { loadFlags, readFlagSettings } from './load.js';
export { isOn, resolveFlags, type FlagSettings } from './resolve.js';
