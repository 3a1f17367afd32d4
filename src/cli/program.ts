// What this program is called, and which build of it runs.

declare global {
  /** The bundler (scripts/build.mjs) writes the values in their place. Without it they are undefined. */
  var HERAKLES_VERSION: string | undefined;
  var HERAKLES_REVISION: string | undefined;
  var HERAKLES_DATE: string | undefined;
}

export const program = {
  name: 'herakles-node-exporter',
  version: globalThis.HERAKLES_VERSION ?? 'dev',
  /** The commit from which the bundle was made. */
  revision: globalThis.HERAKLES_REVISION ?? 'unknown',
  /** SOURCE_DATE_EPOCH of the build, else the time of that commit. */
  date: globalThis.HERAKLES_DATE ?? 'unknown',
} as const;

/** What --version prints; the first line as always. */
export const versionText = [
  `${program.name} ${program.version} (revision ${program.revision})`,
  `  build date: ${program.date}`,
  `  Node.js:    ${process.versions.node}`,
  `  platform:   ${process.platform}/${process.arch}`,
].join('\n');

export const VERSION_HELP = 'Print version, commit and date of this build, its Node.js and the platform.';
