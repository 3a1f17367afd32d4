// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.
// To use it, import mixin.libsonnet; docs/alerting.md shows how.
{
  local config = $._config.herakles,
  // Data links lead to the pages of the exporters, so they depend on the scheme.
  local board(text) = std.parseJson(std.strReplace(text, 'http://${', config.scheme + '://${')) + {
    refresh: config.dashboards.refresh,
    timezone: config.dashboards.timezone,
    tags+: config.dashboards.tags,
  },

  grafanaDashboards+:: {
    'herakles-proc-mem.json': board(importstr '../grafana/generated/herakles-proc-mem.json'),
    'herakles-host.json': board(importstr '../grafana/generated/herakles-host.json'),
    'herakles-fleet.json': board(importstr '../grafana/generated/herakles-fleet.json'),
    'herakles-exporter.json': board(importstr '../grafana/generated/herakles-exporter.json'),
  },
}
