/** What a run has done so far. */
export interface Totals {
  kills: number;
  faults: number;
  files: number;
}

export interface Summary extends Readonly<Totals> {
  readonly builds: number;
  readonly broken: number;
}

/** Returns the last line of a run. */
export const summaryLine = ({ builds, kills, faults, files, broken }: Summary): string =>
  `${builds} builds, ${kills} kills, ${faults} faults, ${files} files, ${broken} broken promises`;
