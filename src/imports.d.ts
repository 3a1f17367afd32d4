// What files that are not TypeScript are when imported: the bundler (scripts/build.mjs) and the tests' loader (scripts/toml-hooks.mjs)
// agree on it.

// A program imported as its bundled source text (scripts/build.mjs): for threads, which the one bundle has no file for.
declare module '*?source' {
  const source: string;
  export default source;
}
// A .toml file is imported as a function that gives the JSON text of its document, by the bundler and in tests alike
// (scripts/bundle.mjs, toml-hooks.mjs): V8 forgets the code of the function and the text in it when it is not called.
declare module '*.toml' {
  const json: () => string;
  export default json;
}
// A page of docs/ that the exporter serves.
declare module '*.md' {
  const text: string;
  export default text;
}
// The BPF program.
declare module '*.o' {
  const bytes: Uint8Array;
  export default bytes;
}
// Files of deploy/systemd that the bundler puts in as text.
declare module '*.service' {
  const text: string;
  export default text;
}
declare module '*.socket' {
  const text: string;
  export default text;
}
declare module '*.conf' {
  const text: string;
  export default text;
}
// The program of the page in the browser, built and compressed (scripts/web-page.mjs).
declare module '*?page' {
  /** `gzip` is base64 of the compressed bytes, `hash` the start of their SHA-256. */
  interface Asset {
    readonly gzip: string;
    readonly hash: string;
  }
  const page: { readonly script: Asset; readonly style: Asset; readonly icon: Asset };
  export default page;
}
// Style sheets of the page.
declare module '*.css';
