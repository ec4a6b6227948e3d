import type { SolverProblem } from './solver-problem.ts';

/** Returns each problem once. Two packages exclude each other once, whichever of the two comes first. */
export function distinctProblems(problems: readonly SolverProblem[]): SolverProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, package: name, other = '', needed = '' }) => {
    const key = `${code} ${[name, other].sort().join(' ')} ${needed}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
