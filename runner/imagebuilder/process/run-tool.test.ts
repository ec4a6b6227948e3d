import { expect, it } from 'vitest';
import { runTool } from './run-tool.ts';

it('ends a program of the host that runs too long', async () => {
  const running = runTool('sleep', ['600'], { cwd: '/', signal: new AbortController().signal, timeoutMs: 50 });
  await expect(running).rejects.toThrow('sleep took longer than 0.05 seconds');
});

it('ends the program when its signal aborts, and throws the signal’s reason', async () => {
  const running = runTool('sleep', ['600'], { cwd: '/', signal: AbortSignal.abort() });
  await expect(running).rejects.toThrow('aborted');
});
