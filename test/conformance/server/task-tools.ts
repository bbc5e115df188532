import { answered, elicit } from './questions.js';
import { followsTasks, requireTasks, startTask, work, type TaskRun } from './tasks.js';
import { objectOf, text, type FixtureTool, type ToolRun } from './tool.js';

const CONFIRM = { confirm: { type: 'boolean' as const } };
const NAME = { name: { type: 'string' as const } };

async function compute({ arguments: { seconds, label } }: ToolRun, signal?: AbortSignal): Promise<object> {
  await work(Number(seconds), signal);
  return text(`computed ${String(label)}`);
}

/** Works as a task where the client can follow one, else within the call. */
function asTask(run: ToolRun, asked: (task: TaskRun) => Promise<object>): object | Promise<object> {
  requireTasks(followsTasks(run));
  return startTask(asked);
}

/** Tools of the tasks extension. */
export const TASK_TOOLS: readonly FixtureTool[] = [
  {
    name: 'greet',
    description: 'Greets at once.',
    inputSchema: objectOf({ name: { type: 'string' } }, ['name']),
    run: ({ arguments: { name } }) => text(`Hello, ${String(name)}!`),
  },
  {
    name: 'slow_compute',
    description: 'Computes for some seconds.',
    inputSchema: objectOf({ seconds: { type: 'number' }, label: { type: 'string' } }, ['seconds']),
    run: (run) => {
      if (!followsTasks(run)) return compute(run, run.context.mcpReq.signal);
      return startTask(({ signal }) => compute(run, signal));
    },
  },
  {
    name: 'failing_job',
    description: 'Fails after a while.',
    run: (run) =>
      asTask(run, async () => {
        await work(1);
        return { isError: true, ...text('The job has failed.') };
      }),
  },
  {
    name: 'protocol_error_job',
    description: 'Ends with a protocol error.',
    run: (run) =>
      asTask(run, async () => {
        await work(0);
        throw new Error('the job broke');
      }),
  },
  {
    name: 'confirm_delete',
    description: 'Asks before it deletes.',
    inputSchema: objectOf({ filename: { type: 'string' } }, ['filename']),
    run: (run) =>
      asTask(run, async ({ ask }) => {
        const { confirm } = await ask({ confirm: elicit('Delete it?', CONFIRM, ['confirm']) });
        return text(answered(confirm, 'confirm') === true ? 'deleted' : 'kept');
      }),
  },
  {
    name: 'multi_input',
    description: 'Asks two things at once.',
    run: (run) =>
      asTask(run, async ({ ask }) => {
        const answers = await ask({ first: elicit('First?', NAME), second: elicit('Second?', NAME) });
        return text(Object.keys(answers).join(', '));
      }),
  },
  {
    name: 'test_tool_with_task',
    description: 'Asks for a name, then works as a task.',
    run: async (run) => {
      requireTasks(followsTasks(run));
      const { user_name: user } = await run.ask({ user_name: elicit('What is your name?', NAME, ['name']) });
      return startTask(async () => {
        await work(0.1);
        return text(`Hello, ${String(answered(user, 'name'))}!`);
      });
    },
  },
];
