import { expect, it } from 'vitest';
import { CircuitOpenError, circuitBreaker } from './circuit-breaker.ts';

const failing = async () => {
  throw new Error('down');
};

function make(spread: { jitter?: number; random?: () => number } = {}) {
  let time = 0;
  const breaker = circuitBreaker({ monotonic: () => time, threshold: 3, openMs: 1000, ...spread });
  const fail = async (times: number) => {
    for (let count = 0; count < times; count++) await expect(breaker.run(failing)).rejects.toThrow('down');
  };
  return { breaker, fail, pass: (ms: number) => (time += ms) };
}

it('opens after failures in a row, and then asks nobody', async () => {
  const { breaker, fail } = make();
  await fail(2);
  await breaker.run(async () => 'fine');
  await fail(3);
  let asked = 0;
  await expect(breaker.run(async () => (asked += 1))).rejects.toThrow(CircuitOpenError);
  expect(asked).toBe(0);
});

it('lets a single probe through when half open; its success closes the circuit', async () => {
  const { breaker, fail, pass } = make();
  await fail(3);
  pass(999);
  await expect(breaker.run(async () => 'early')).rejects.toThrow(CircuitOpenError);
  pass(1);
  let finish = (_: string) => {};
  const probe = breaker.run(
    () =>
      new Promise<string>((resolve) => {
        finish = resolve;
      }),
  );
  await expect(breaker.run(async () => 'second')).rejects.toThrow(CircuitOpenError);
  finish('up again');
  expect(await probe).toBe('up again');
  expect(await breaker.run(async () => 'all may ask')).toBe('all may ask');
});

it('stays open when the probe fails, for as long again', async () => {
  const { breaker, fail, pass } = make();
  await fail(3);
  pass(1000);
  await fail(1);
  await expect(breaker.run(async () => 'no')).rejects.toThrow(CircuitOpenError);
  pass(1000);
  expect(await breaker.run(async () => 'yes')).toBe('yes');
});

it.each([
  [0, 750],
  [0.5, 1000],
  [1, 1250],
])('spreads its probes: with the random number %d the next one goes after %d ms', async (number, ms) => {
  const { breaker, fail, pass } = make({ jitter: 0.25, random: () => number });
  await fail(3);
  pass(ms - 1);
  await expect(breaker.run(async () => 'early')).rejects.toThrow(CircuitOpenError);
  pass(1);
  expect(await breaker.run(async () => 'in time')).toBe('in time');
});
