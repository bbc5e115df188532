import { capabilitiesOf } from './ask.js';
import { answered, elicit, roots, sample } from './questions.js';
import { objectOf, text, type FixtureTool, type ToolRun } from './tool.js';

const NAME = { name: { type: 'string' as const } };

/** What a model said, as the suite's clients answer. */
function said(answer: unknown): string {
  return String((answer as { content?: { text?: unknown } }).content?.text); // whatever the client sent
}

function rootsIn(answer: unknown): string {
  const { roots: found = [] } = answer as { roots?: Array<{ uri: string }> }; // whatever the client sent
  return found.map(({ uri }) => uri).join(', ');
}

async function asked(run: ToolRun, ...question: Parameters<typeof elicit>): Promise<object> {
  const { answer } = await run.ask({ answer: elicit(...question) });
  return text(`User response: ${JSON.stringify(answer)}`);
}

async function within({ mcp, context, ask }: ToolRun): Promise<object> {
  const { sampling, elicitation } = capabilitiesOf(mcp, context);
  const answers = await ask({
    ...(sampling === undefined ? {} : { capital_question: sample('What is the capital of France?', 100) }),
    ...(elicitation === undefined ? {} : { user_name: elicit('What is your name?', NAME, ['name']) }),
  });
  return text(JSON.stringify(answers));
}

const ENUMS: Parameters<typeof elicit>[1] = {
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: {
    type: 'string',
    oneOf: [
      { const: 'value1', title: 'First Option' },
      { const: 'value2', title: 'Second Option' },
      { const: 'value3', title: 'Third Option' },
    ],
  },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: {
    type: 'array',
    items: {
      anyOf: [
        { const: 'value1', title: 'First Choice' },
        { const: 'value2', title: 'Second Choice' },
        { const: 'value3', title: 'Third Choice' },
      ],
    },
  },
};

/** Tools that need something of the client before they can answer. */
export const ASKING_TOOLS: readonly FixtureTool[] = [
  {
    name: 'test_sampling',
    description: 'Asks the client’s model.',
    inputSchema: objectOf({ prompt: { type: 'string' } }, ['prompt']),
    run: async ({ ask, arguments: { prompt } }) =>
      text(`LLM response: ${said((await ask({ answer: sample(String(prompt), 100) }))['answer'])}`),
  },
  {
    name: 'test_elicitation',
    description: 'Asks the person.',
    inputSchema: objectOf({ message: { type: 'string' } }, ['message']),
    run: (run) => asked(run, String(run.arguments['message']), { response: { type: 'string' } }, ['response']),
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks with a default for every kind of value.',
    run: (run) =>
      asked(run, 'Please review the defaults', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks with every kind of choice.',
    run: (run) => asked(run, 'Please choose', ENUMS),
  },
  {
    name: 'test_missing_capability',
    description: 'Cannot do without the client’s model.',
    run: async ({ ask }) => text(said((await ask({ answer: sample('Hello', 10) }))['answer'])),
  },
  { name: 'test_streaming_elicitation', description: 'Asks the person.', run: (run) => asked(run, 'Name?', NAME) },
  {
    name: 'test_input_required_result_elicitation',
    description: 'Asks for a name.',
    run: async ({ ask }) => {
      const { user_name: user } = await ask({ user_name: elicit('What is your name?', NAME, ['name']) });
      return text(`Hello, ${String(answered(user, 'name'))}!`);
    },
  },
  {
    name: 'test_input_required_result_sampling',
    description: 'Asks the client’s model.',
    run: async ({ ask }) =>
      text(said((await ask({ capital_question: sample('What is the capital of France?', 100) }))['capital_question'])),
  },
  {
    name: 'test_input_required_result_list_roots',
    description: 'Asks for the client’s roots.',
    run: async ({ ask }) => text(rootsIn((await ask({ client_roots: roots() }))['client_roots'])),
  },
  {
    name: 'test_input_required_result_request_state',
    description: 'Asks for a yes, with a state.',
    run: async ({ ask }) => {
      await ask({ confirm: elicit('Please confirm', { ok: { type: 'boolean' } }, ['ok']) });
      return text('state-ok');
    },
  },
  {
    name: 'test_input_required_result_multiple_inputs',
    description: 'Asks three things at once.',
    run: async ({ ask }) => {
      const answers = await ask({
        user_name: elicit('What is your name?', NAME, ['name']),
        greeting: sample('Generate a greeting', 50),
        client_roots: roots(),
      });
      return text(JSON.stringify(answers));
    },
  },
  {
    name: 'test_input_required_result_multi_round',
    description: 'Asks one thing after the other.',
    run: async ({ ask }) => {
      const { step1 } = await ask({ step1: elicit('Step 1: What is your name?', NAME, ['name']) });
      const color = { color: { type: 'string' as const } };
      const { step2 } = await ask({ step2: elicit('Step 2: What is your favorite color?', color, ['color']) });
      return text(`${String(answered(step1, 'name'))} likes ${String(answered(step2, 'color'))}`);
    },
  },
  {
    name: 'test_input_required_result_tampered_state',
    description: 'Asks with a state that must come back as it was.',
    run: (run) => asked(run, 'Please confirm', { ok: { type: 'boolean' } }, ['ok']),
  },
  {
    name: 'test_input_required_result_capabilities',
    description: 'Asks only what the client can answer.',
    run: within,
  },
];
