import { AppError, type Problem } from '#libs/errors';
import { parseJson } from '#libs/http';
import { importLine, type NewDocument } from './documents.schema.js';

const LINES_MAX = 500;
const PROBLEMS_MAX = 100;
const LINE_BOUNDS = { depthMax: 8, keysMax: 64 };

/** The documents of an NDJSON body. @throws AppError `unprocessable` with pointers `/{index of the line}/…` */
export function readImport(content: Buffer): NewDocument[] {
  const lines = new TextDecoder('utf-8')
    .decode(content)
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0)
    throw new AppError('unprocessable', { message: 'There is no document in this. Send one on each line.' });
  if (lines.length > LINES_MAX)
    throw new AppError('unprocessable', {
      message: `There are ${lines.length} documents; at most ${LINES_MAX} are imported at once. Send them in several requests.`,
    });
  const problems: Problem[] = [];
  const documents = lines.flatMap((line, index) => readLine(line, index, problems));
  if (problems.length === 0) return documents;
  throw new AppError('unprocessable', {
    message: 'Nothing was imported. Correct the listed documents and send all of them again.',
    problems: problems.slice(0, PROBLEMS_MAX),
  });
}

function readLine(line: string, index: number, problems: Problem[]): NewDocument[] {
  try {
    const parsed = importLine.safeParse(parseJson(Buffer.from(line), LINE_BOUNDS));
    if (parsed.success) return [parsed.data];
    for (const { path, message } of parsed.error.issues)
      problems.push({ pointer: [`/${index}`, ...path.map(String)].join('/'), message });
  } catch {
    problems.push({ pointer: `/${index}`, message: 'This line is not one JSON object.' });
  }
  return [];
}
