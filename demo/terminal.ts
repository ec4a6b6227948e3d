/** The demo's output. It has colour and a moving bar only when it goes to a terminal. */
export interface Terminal {
  heading(text: string): void;
  say(text?: string): void;
  /** Draws the progress bar for a share between 0 and 1. On a terminal it replaces the previous bar. */
  bar(share: number, label: string): void;
  /** Ends the line of the progress bar. */
  endBar(): void;
}

const WIDTH = 30;

export function terminal(out: NodeJS.WriteStream): Terminal {
  const colour = (code: number, text: string) => (out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text);
  let lastLabel = '';
  return {
    heading: (text) => out.write(`\n${colour(1, text)}\n`),
    say: (text = '') => out.write(`${text}\n`),
    bar: (share, label) => {
      const filled = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
      const bar = `  [${colour(32, '█'.repeat(filled))}${'·'.repeat(WIDTH - filled)}] ${label}`;
      if (out.isTTY) out.write(`\r\u001b[K${bar}`);
      else if (label !== lastLabel) out.write(`${bar}\n`);
      lastLabel = label;
    },
    endBar: () => {
      if (out.isTTY) out.write('\n');
    },
  };
}
