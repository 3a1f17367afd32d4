// A program imported as its bundled source text (scripts/build.mjs): for threads, which the one bundle has no file for.
declare module '*?source' {
  const source: string;
  export default source;
}
