// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.
// To use it, import mixin.libsonnet; docs/alerting.md shows how.
{
  local config = $._config.herakles.dashboards,
  local board(made) = made {
    refresh: config.refresh,
    timezone: config.timezone,
    tags+: config.tags,
  },

  grafanaDashboards+:: {
    'herakles-proc-mem.json': board(import '../grafana/generated/herakles-proc-mem.json'),
    'herakles-host.json': board(import '../grafana/generated/herakles-host.json'),
    'herakles-fleet.json': board(import '../grafana/generated/herakles-fleet.json'),
    'herakles-exporter.json': board(import '../grafana/generated/herakles-exporter.json'),
  },
}
