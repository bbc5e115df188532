#!/usr/bin/env node
// Checks an export of an audit log against checkpoints that were kept. Needs no network and no other file.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';

const USAGE = 'usage: wharf-verify KEY-FILE EXPORT.ndjson[.gz] CHECKPOINT-FILE...';

/** What does not agree, and where. */
export class Difference extends Error {}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort((left, right) => (left < right ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
}

/** One verifier key (C2SP signed-note) a line; all have one name. */
function parseKeys(text) {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .map(parseKey);
}

function parseKey(text) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || bytes.length !== 33 || bytes[0] !== 1)
    throw new Difference('the key is not a verifier key');
  if (sha256(`${name}\n`, bytes).subarray(0, 4).toString('hex') !== id) throw new Difference('the key has another id');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
  return { name, id, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

function isSignedBy({ name, id, publicKey }, line, text) {
  if (!line.startsWith(`— ${name} `)) return false;
  const bytes = Buffer.from(line.slice(name.length + 3), 'base64');
  return bytes.subarray(0, 4).toString('hex') === id && verify(null, Buffer.from(text), publicKey, bytes.subarray(4));
}

function parseCheckpoint(path, keys) {
  const [{ name }] = keys;
  const note = readFileSync(path, 'utf8');
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const signed = note
    .slice(end + 2)
    .split('\n')
    .some((line) => keys.some((key) => isSignedBy(key, line, text)));
  if (end < 0 || !signed) throw new Difference(`${path}: no signature of ${name}`);
  const [origin, size, root] = text.split('\n');
  if (origin !== name || !/^(0|[1-9]\d{0,15})$/.test(size ?? ''))
    throw new Difference(`${path}: not a checkpoint of ${name}`);
  return { path, size: Number(size), root };
}

/** Subtree roots from the largest to the smallest, as many as the size has bits set. */
function rootOf(frontier) {
  if (frontier.length === 0) return sha256();
  return frontier.map(({ hash }) => hash).reduceRight((right, left) => sha256(Buffer.of(1), left, right));
}

function push(frontier, hash) {
  let node = { hash, size: 1 };
  while (frontier.at(-1)?.size === node.size) {
    const left = frontier.pop();
    node = { hash: sha256(Buffer.of(1), left.hash, node.hash), size: node.size * 2 };
  }
  frontier.push(node);
}

function hashOfLine(line, position) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    throw new Difference(`position ${position}: not JSON`);
  }
  if (entry?.leaf_index !== position) throw new Difference(`position ${position}: holds leaf ${entry?.leaf_index}`);
  if (typeof entry.record !== 'object' || entry.record === null)
    throw new Difference(`position ${position}: no record`);
  const hash = sha256(Buffer.of(0), canonicalJson(entry.record));
  if (hash.toString('base64') !== entry.leaf_hash)
    throw new Difference(`position ${position}: the record is not the one in the tree`);
  return hash;
}

/** What the tree is before an export that does not begin with record 0; undefined for any other line. */
function startOf(line) {
  let tree;
  try {
    ({ tree } = JSON.parse(line));
  } catch {
    return undefined;
  }
  if (tree === undefined) return undefined;
  const sizes = [...tree.first_leaf.toString(2)].map((bit, at, bits) =>
    bit === '1' ? 2 ** (bits.length - 1 - at) : 0,
  );
  const widths = sizes.filter((size) => size > 0);
  if (widths.length !== tree.left?.length) throw new Difference('the first line does not say what was before it');
  return {
    size: tree.first_leaf,
    frontier: tree.left.map((hash, at) => ({ hash: Buffer.from(hash, 'base64'), size: widths[at] })),
  };
}

function linesOf(path) {
  const file = createReadStream(path);
  return createInterface({ input: path.endsWith('.gz') ? file.pipe(createGunzip()) : file, crlfDelay: Infinity });
}

/** Checks the files of an audit log against each other; returns what agrees. @throws Difference */
export async function check([keyFile, exportFile, ...notes]) {
  const keys = parseKeys(readFileSync(keyFile, 'utf8'));
  const checkpoints = notes.map((path) => parseCheckpoint(path, keys)).sort((left, right) => left.size - right.size);
  let frontier = [];
  let [first, size, proved, next] = [0, 0, 0, 0];
  const settle = () => {
    for (; checkpoints[next]?.size === size; next += 1) {
      if (rootOf(frontier).toString('base64') !== checkpoints[next].root)
        throw new Difference(`positions ${proved} to ${size - 1}: history differs from ${checkpoints[next].path}`);
      proved = size;
    }
  };
  settle();
  for await (const line of linesOf(exportFile)) {
    const start = size === 0 && frontier.length === 0 ? startOf(line) : undefined;
    if (start !== undefined) {
      ({ size, frontier } = start);
      first = size;
      // Checkpoints of what is not here say nothing of it, but that it goes on from there.
      while (checkpoints[next]?.size < size) next += 1;
      settle();
      proved = size;
      continue;
    }
    push(frontier, hashOfLine(line, size));
    size += 1;
    settle();
  }
  const missing = checkpoints[next];
  if (missing !== undefined)
    throw new Difference(
      `position ${size}: the export ends, ${missing.path} has ${missing.size} records, and nothing from ${proved} is proved`,
    );
  if (size > proved) throw new Difference(`position ${proved}: no checkpoint covers the records from here`);
  if (first === 0) return `${size} records agree with ${notes.length} checkpoints`;
  return `${size - first} records from ${first} on agree with ${notes.length} checkpoints; check the archives of the ${first} before them too`;
}

async function main(args) {
  if (args.length < 3) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  try {
    console.log(await check(args));
  } catch (error) {
    console.error(error instanceof Difference ? `DIFFERENT ${error.message}` : `cannot check: ${error.message}`);
    process.exitCode = error instanceof Difference ? 1 : 2;
  }
}

// Also a part of the command line, which is one file too and has a name of its own.
if (process.argv[1]?.endsWith('wharf-verify.mjs') && process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2));
}
