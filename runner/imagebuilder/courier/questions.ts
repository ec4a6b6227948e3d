/** One line of the pipe: a build asks for the file at `url`, and looks for the answer under `id`. */
export interface Question {
  readonly id: string;
  readonly url: string;
}

/** The form of a question. The id must be a UUID, because it becomes the name of a file of ours. */
const QUESTION = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (https?:\/\/[\x21-\x7e]{1,2000})$/;
const MAX_LINE = 4096;

/** The limits on questions. A full image asks a few hundred, of a hundred bytes each. */
const MAX_QUESTIONS = 20_000;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Answers the lines of `pipe` one after the other, as package managers ask. Other lines get no answer. Calls `onFlood`
 * once, and stops reading, when more comes than any build needs.
 */
export function answerQuestions(
  pipe: NodeJS.ReadableStream & { destroy(): void },
  answer: (question: Question) => Promise<void>,
  onFlood: () => void,
): { close(): Promise<void> } {
  const waiting: Question[] = [];
  let rest = '';
  let bytes = 0;
  let questions = 0;
  let answering: Promise<void> | undefined;

  const answerAll = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await answer(next);
  };
  const stop = (): void => {
    waiting.length = 0;
    pipe.destroy();
  };
  pipe.on('error', stop);
  pipe.on('data', (part: Buffer) => {
    const lines = (rest + part.toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(-MAX_LINE);
    bytes += part.length;
    for (const line of lines) {
      const [, id, url] = QUESTION.exec(line) ?? [];
      if (id === undefined || url === undefined) continue;
      questions++;
      waiting.push({ id, url });
    }
    if (bytes > MAX_BYTES || questions > MAX_QUESTIONS) {
      stop();
      onFlood();
    }
    answering ??= answerAll().finally(() => {
      answering = undefined;
    });
  });
  return {
    close: async () => {
      stop();
      await answering;
    },
  };
}
