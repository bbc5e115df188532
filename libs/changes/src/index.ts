export { ChangeAnnouncer } from './announcer.js';
export { followChanges, type ChangeFeed } from './feed.js';
