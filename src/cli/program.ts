// What this program is called, and which build of it runs.

declare global {
  /** The bundler (scripts/build.mjs) writes the values in their place. Without it they are undefined. */
  var HERAKLES_VERSION: string | undefined;
  var HERAKLES_REVISION: string | undefined;
}

export const program = {
  name: 'herakles-node-exporter',
  version: globalThis.HERAKLES_VERSION ?? 'dev',
  /** The commit from which the bundle was made. */
  revision: globalThis.HERAKLES_REVISION ?? 'unknown',
} as const;
