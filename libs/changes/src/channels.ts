import { z } from 'zod';

/** Where changes are told, and where those who heard say so. */
export const CHANGES = 'wharf:changes';
export const HEARD = 'wharf:changes:heard';

/** A committed change of one tenant's rows, or of all tenants' with `*`. */
export const announcementSchema = z.object({ id: z.string(), tenantId: z.string() });

/** An announcement as it travels. */
export type Announcement = z.infer<typeof announcementSchema>;

/** What a message says, or undefined where it is none of ours. */
export function readAnnouncement(text: string): Announcement | undefined {
  try {
    return announcementSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
