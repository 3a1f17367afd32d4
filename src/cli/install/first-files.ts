// What install and the packages (scripts/release/) put on a host alike: the configuration and the rules that it begins with,
// and the unit of an executable.

/**
 * A change of this text, or of the rules below, makes dpkg ask, at the next upgrade, each administrator who has changed the file;
 * without a terminal it stops in the middle (deb-conffiles(5)). Both are as in version 0.1.0.
 */
export const FIRST_CONFIG = `# Configuration of herakles-node-exporter. "herakles-node-exporter config init" prints every key with its meaning.
# interval: 15s
# per_process: all
`;

export const FIRST_RULES = `# Rules of this host. They decide before the rules that ship with the exporter. "herakles-node-exporter explain PID"
# tells which rule decided about a process. This rule is an example.
[[rule]]
group = "monitoring"
subgroup = "herakles"
unit = "herakles-node-exporter.service"
`;

/** A unit of deploy/systemd, which starts Node.js with the bundle, for an executable at a path. */
export const unitOfExecutable = (unit: string, path: string): string =>
  unit
    .replace(/^# Node opens a debugger .*\n/m, '')
    .replaceAll(/\/usr\/bin\/node (?:--\S+ )*\/usr\/local\/lib\/herakles\/herakles\.cjs/g, () => path);
