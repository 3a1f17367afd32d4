// Number properties of objects that exist by the thousand. V8 gives every one of them that is not a small integer a heap
// object of its own, 24 bytes that its collector has to visit; in an array of doubles it takes 8 that need no visit.

/** What a class extends to have number properties of these names, which begin with these values. */
export function withNumbers<T extends Readonly<Record<string, number>>>(initial: T): new () => T {
  const names = Object.keys(initial);
  // With a fraction among them, V8 keeps them as doubles from the start.
  const values = [...names.map((name) => initial[name]!), 0.5];
  class WithNumbers {
    readonly values = values.slice();
  }
  names.forEach((name, index) => {
    Object.defineProperty(WithNumbers.prototype, name, {
      get(this: WithNumbers) {
        return this.values[index];
      },
      set(this: WithNumbers, value: number) {
        this.values[index] = value;
      },
    });
  });
  return WithNumbers as unknown as new () => T;
}
