import { inputRequired, type ElicitRequestFormParams, type InputRequests } from '@modelcontextprotocol/server';

type Question = InputRequests[string];
type FormSchema = ElicitRequestFormParams['requestedSchema'];
type Properties = FormSchema['properties'];

/** Asks the person for values. */
export function elicit(message: string, properties: Properties, required: readonly string[] = []): Question {
  const requestedSchema: FormSchema = { type: 'object', properties, required: [...required] };
  return inputRequired.elicit({ mode: 'form', message, requestedSchema });
}

/** Asks the client's model. */
export function sample(prompt: string, maxTokens: number): Question {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }];
  return inputRequired.createMessage({ messages, maxTokens });
}

/** Asks for the client's roots. */
export function roots(): Question {
  return inputRequired.listRoots();
}

/** A value of an answer's content. */
export function answered(answer: unknown, field: string): unknown {
  return (answer as { content?: Record<string, unknown> } | undefined)?.content?.[field]; // whatever the client sent
}
