/** A file of a zip, as its list says; where it lies unless that is said. */
export interface ListedFile {
  readonly name: string;
  readonly content?: string;
  readonly comment?: Buffer;
  readonly extra?: Buffer;
  /** Where the list says that it begins. */
  readonly offset?: number;
  /** What the list says of its size, packed and unpacked. */
  readonly size?: number;
}

/** A zip that is written by hand, so that its list can say anything; `count` is how many files it says it has. */
export function handmadeZip(files: readonly ListedFile[], { count }: { readonly count?: bigint } = {}): Buffer {
  const bodies: Buffer[] = [];
  const listed: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const { name, content = '', comment = Buffer.alloc(0), extra = Buffer.alloc(0), offset = at } = file;
    const size = file.size ?? content.length;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(size, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(name.length, 26);
    const body = Buffer.concat([local, Buffer.from(name), Buffer.from(content)]);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt32LE(size, 20);
    record.writeUInt32LE(size, 24);
    record.writeUInt16LE(name.length, 28);
    record.writeUInt16LE(extra.length, 30);
    record.writeUInt16LE(comment.length, 32);
    record.writeUInt32LE(offset, 42);
    bodies.push(body);
    listed.push(record, Buffer.from(name), extra, comment);
    at += body.length;
  }
  const list = Buffer.concat(listed);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count === undefined ? files.length : 0xffff, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  const wide = count === undefined ? [] : zip64(count, list.length, at);
  return Buffer.concat([...bodies, list, ...wide, end]);
}

/** The end of a list in ZIP64, and where it is. */
function zip64(count: bigint, listBytes: number, listAt: number): Buffer[] {
  const end = Buffer.alloc(56);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(count, 32);
  end.writeBigUInt64LE(BigInt(listBytes), 40);
  end.writeBigUInt64LE(BigInt(listAt), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(listAt + listBytes), 8);
  return [end, locator];
}

/** The extra field in which ZIP64 says a file's sizes and place. */
export function zip64Extra(size: bigint): Buffer {
  const field = Buffer.alloc(4 + 16);
  field.writeUInt16LE(0x0001, 0);
  field.writeUInt16LE(16, 2);
  field.writeBigUInt64LE(size, 4);
  field.writeBigUInt64LE(size, 12);
  return field;
}
