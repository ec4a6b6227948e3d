import { expect, it } from 'vitest';
import { runTool } from './run-tool.ts';

it('ends a program of the host that does not end by itself', async () => {
  const running = runTool('sleep', ['600'], { cwd: '/', signal: new AbortController().signal, timeoutMs: 50 });
  await expect(running).rejects.toThrow('sleep took longer than 0.05 seconds');
});

it('ends it when it is told to, and says what it was told', async () => {
  const running = runTool('sleep', ['600'], { cwd: '/', signal: AbortSignal.abort() });
  await expect(running).rejects.toThrow('aborted');
});
