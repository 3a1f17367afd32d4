// Tables of numbers that grow.

type Numbers = Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The same numbers in an array of at least `length`, with room for more; the array itself where it is long enough. */
export function withRoom<N extends Numbers>(numbers: N, length: number): N {
  if (length <= numbers.length) return numbers;
  const larger = new (numbers.constructor as new (length: number) => N)(Math.ceil(length * 1.25));
  larger.set(numbers);
  return larger;
}
