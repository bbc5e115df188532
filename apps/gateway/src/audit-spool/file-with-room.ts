import type { FileHandle } from 'node:fs/promises';

/** How much room is made at a time, and how much is left when more is made. */
const ROOM = Buffer.alloc(256 * 1024);
const LEFT_MIN = 64 * 1024;

/**
 * A file that is written from its beginning on, into room that was made of zeros before. A synchronized write that makes a file
 * longer waits for the file system's journal as well, one into what is there for its own bytes alone: databases write
 * their logs the same way. What was not written yet reads as zeros.
 */
export class FileWithRoom {
  #written = 0;
  #room = 0;
  #making: Promise<void> | undefined;

  /** Begins to make room in an empty file. */
  constructor(private readonly file: FileHandle) {
    this.#makeRoomAhead();
  }

  /** Writes after what was written before; after a failure, in place of what failed. One write at a time. @throws Error of the file system */
  async write(bytes: Buffer): Promise<void> {
    while (this.#written + bytes.length > this.#room) await this.#makeRoom();
    await writeAll(this.file, bytes, this.#written);
    this.#written += bytes.length;
    if (this.#room - this.#written < LEFT_MIN) this.#makeRoomAhead();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#making?.catch(() => undefined);
  }

  /** Where there is none, the write that needs it says why. */
  #makeRoomAhead(): void {
    this.#makeRoom().catch(() => undefined);
  }

  /** Never where something may be written meanwhile: writes go before the end of the room. */
  #makeRoom(): Promise<void> {
    this.#making ??= writeAll(this.file, ROOM, this.#room)
      .then(() => {
        this.#room += ROOM.length;
      })
      .finally(() => {
        this.#making = undefined;
      });
    return this.#making;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}
