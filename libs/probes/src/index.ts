export { expectationSchema, type Expectation } from './expectation.js';
export { judgeAnswer, type Judgement, type ToolResult } from './judge-answer.js';
export { probeFigures, type FiguresWanted, type ProbeFigures } from './probe-figures.js';
