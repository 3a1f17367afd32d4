// Tables of numbers by the handle of a process.

/** The same numbers in an array of at least `length`, with room for more; the array itself where it is long enough. */
export function withRoom(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const larger = new Int32Array(Math.ceil(length * 1.25));
  larger.set(numbers);
  return larger;
}
