export { AppError, toAppError, type AppErrorOptions, type Problem, type ReachedLimit } from './app-error.js';
export { ERROR_CATALOGUE, type ErrorCode } from './catalogue.js';
export { toProblemDocument, type ProblemDocument } from './problem-document.js';
