// Number properties of objects that exist by the thousand, kept together in one array per owner.
//
// V8 gives every number property that is not a small integer a heap object of its own, which its garbage collector has
// to visit; in an array of doubles a number takes 8 bytes and needs no visit. An owner with several parts (process.ts)
// has one such array for all of them: a layout gives each part its own positions in it, and a part is only a view.
//
//   const numbers = new NumberLayout();
//   class Io extends numbers.part({ readBytes: Number.NaN }) {}
//   class Process { readonly #values = numbers.create(); readonly io = new Io(this.#values); }

/** Which number stands at which position of an owner's array. */
export class NumberLayout {
  /** With a fraction among them, V8 keeps the numbers as doubles from the start. */
  readonly #initial = [0.5];

  /**
   * What a class extends to have number properties of these names, which begin with these values.
   * Declare all parts before the first `create`.
   */
  part<T extends Readonly<Record<string, number>>>(initial: T): new (values: number[]) => T {
    class Part {
      readonly values: number[];

      constructor(values: number[]) {
        this.values = values;
      }
    }
    for (const [name, value] of Object.entries(initial)) {
      const index = this.#initial.push(value) - 1;
      Object.defineProperty(Part.prototype, name, {
        get(this: Part) {
          return this.values[index];
        },
        set(this: Part, changed: number) {
          this.values[index] = changed;
        },
      });
    }
    return Part as unknown as new (
      values: number[],
    ) => T;
  }

  /** The array of a new owner: every number of every part as it begins. */
  create(): number[] {
    return this.#initial.slice();
  }
}
