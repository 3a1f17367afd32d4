// A .toml file is imported as its parsed document, by the bundler and in tests alike (scripts/build.mjs, toml-hooks.mjs).
declare module '*.toml' {
  const document: Record<string, unknown>;
  export default document;
}
