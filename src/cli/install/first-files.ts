// The configuration and the rules that a new host begins with. The packages hold the same files (scripts/release/).

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
