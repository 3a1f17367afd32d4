// The rules of deploy/prometheus in the form of the Prometheus operator: one PrometheusRule with all groups.
import { readdirSync, readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

const rules = new URL('../prometheus/rules/', import.meta.url);

const HEADER = '# Made from deploy/prometheus/rules by scripts/generate.ts: change the rules there.\n';

/** For scripts/generate.ts: the path of the manifest, and how to make its text. */
export const prometheusRule = {
  path: 'deploy/kubernetes/overlays/prometheus-operator/prometheus-rule.yaml',
  make(): string {
    const files = readdirSync(rules).filter((name) => name.endsWith('.yml'));
    const groups = files.sort().flatMap((name) => parse(readFileSync(new URL(name, rules), 'utf8')).groups);
    const manifest = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'herakles' },
      spec: { groups },
    };
    return HEADER + stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false });
  },
};
