import type { GetPromptResult, Prompt } from '@modelcontextprotocol/server';
import type { Ask } from './ask.js';
import { PNG } from './content-tools.js';
import { answered, elicit } from './questions.js';

type Content = GetPromptResult['messages'][number]['content'];
type Given = Readonly<Record<string, string>>;

interface FixturePrompt extends Prompt {
  readonly contents: (given: Given, ask: Ask) => Promise<Content[]> | Content[];
}

const text = (value: string): Content => ({ type: 'text', text: value });

const PROMPTS: readonly FixturePrompt[] = [
  {
    name: 'test_simple_prompt',
    description: 'A prompt without arguments.',
    contents: () => [text('This is a simple prompt for testing.')],
  },
  {
    name: 'test_prompt_with_arguments',
    description: 'A prompt with two arguments.',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
    contents: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A prompt with a resource in it.',
    arguments: [{ name: 'resourceUri', description: 'Which resource', required: true }],
    contents: ({ resourceUri = '' }) => [
      { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content.' } },
      text('Please process the embedded resource above.'),
    ],
  },
  {
    name: 'test_prompt_with_image',
    description: 'A prompt with an image in it.',
    contents: () => [{ type: 'image', data: PNG, mimeType: 'image/png' }, text('Please analyze the image above.')],
  },
  {
    name: 'test_input_required_result_prompt',
    description: 'A prompt that asks the person.',
    contents: async (_, ask) => {
      const question = elicit('What context should the prompt use?', { context: { type: 'string' } }, ['context']);
      const { user_context: user } = await ask({ user_context: question });
      return [text(`Use this context: ${String(answered(user, 'context'))}`)];
    },
  },
];

/** The prompts as they are listed. */
export function listPrompts(): Prompt[] {
  return PROMPTS.map(({ contents: _, ...prompt }) => prompt);
}

/** A prompt's messages; undefined where there is no such prompt. */
export async function getPrompt(name: string, given: Given, ask: Ask): Promise<GetPromptResult | undefined> {
  const contents = await PROMPTS.find((prompt) => prompt.name === name)?.contents(given, ask);
  return contents && { messages: contents.map((content) => ({ role: 'user', content })) };
}
