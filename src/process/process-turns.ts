// Work that every process needs now and then, spread over the passes: each process has its turn once in `count` turns. A turn
// lasts 15 seconds. A pass has at least one turn, and all turns of the time since the last pass: so what is due every
// minute is done every minute, also where a minute lies between two passes.

/** Seconds. */
const TURN = 15;

export class ProcessTurns {
  readonly #count: number;
  /** The newest turn of this pass, and how many it has. */
  #turn = 0;
  #size = 1;
  #lastPass = Number.NaN;

  constructor(count: number) {
    this.#count = count;
  }

  /** @param at kernel time of the pass, seconds since boot */
  beginPass(at: number): void {
    const passed = Math.round((at - this.#lastPass) / TURN) || 1;
    this.#lastPass = at;
    this.#size = Math.min(Math.max(1, passed), this.#count);
    this.#turn = (this.#turn + this.#size) % this.#count;
  }

  /** Whether it is the turn of the process with this pid. */
  has(pid: number): boolean {
    return (pid + this.#turn) % this.#count < this.#size;
  }
}
