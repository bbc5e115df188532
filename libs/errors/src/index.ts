export { AppError, toAppError, type AppErrorOptions, type Problem } from './app-error.js';
export { ERROR_CATALOGUE, type ErrorCode } from './catalogue.js';
export { toProblemDocument, type ProblemDocument } from './problem-document.js';
