// A .toml file is imported as JSON text of its document, by the bundler and in tests alike (scripts/build.mjs,
// toml-hooks.mjs): a text costs little memory where its document is needed only once.
declare module '*.toml' {
  const json: string;
  export default json;
}
