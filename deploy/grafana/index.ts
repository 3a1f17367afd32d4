// All dashboards and the files that hold them. scripts/generate.ts writes the files, and fails in CI if one differs.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { exporterBoard } from './exporter-health.ts';
import { fleetBoard } from './fleet.ts';
import { memoryBoard } from './herakles-proc-mem.ts';
import { hostBoard } from './host.ts';

export const boards: readonly { readonly path: string; make(): string }[] = [
  { path: 'deploy/grafana/generated/herakles-proc-mem.json', make: () => text(memoryBoard()) },
  { path: 'deploy/grafana/generated/herakles-host.json', make: () => text(hostBoard()) },
  { path: 'deploy/grafana/generated/herakles-fleet.json', make: () => text(fleetBoard()) },
  { path: 'deploy/grafana/generated/herakles-exporter.json', make: () => text(exporterBoard()) },
];

const text = (board: Dashboard): string => `${JSON.stringify(board, null, 2)}\n`;
