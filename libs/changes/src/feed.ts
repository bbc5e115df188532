import { openSubscriber, type RedisStore } from '#libs/redis';
import { CHANGES, HEARD, readAnnouncement } from './channels.js';

/** An open subscription to announcements. */
export interface ChangeFeed {
  close(): void;
}

/**
 * Calls `onChange` with the tenant's id (or `*`) for every announcement, and says that it was heard. Comes back by
 * itself when Redis was away; what was announced meanwhile arrives through the database.
 */
export function followChanges(redis: RedisStore, onChange: (tenantId: string) => void): ChangeFeed {
  const subscriber = openSubscriber(redis);
  subscriber.on('message', (_channel: string, text: string) => {
    const announcement = readAnnouncement(text);
    if (announcement === undefined) return;
    onChange(announcement.tenantId);
    redis.publish(HEARD, announcement.id).catch(() => undefined);
  });
  void subscriber.subscribe(CHANGES).catch(() => undefined);
  return { close: () => subscriber.disconnect() };
}
