// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.
// To use it, import mixin.libsonnet; docs/alerting.md shows how.
{
  local config = $._config.herakles,
  // Data links lead to the pages of the exporters, so they depend on the scheme.
  local linked(value) =
    if std.isObject(value) then std.mapWithKey(function(_, inner) linked(inner), value)
    else if std.isArray(value) then std.map(linked, value)
    else if std.isString(value) && std.startsWith(value, 'http://${') then config.scheme + value[4:]
    else value,
  local board(made) = linked(made) + {
    refresh: config.dashboards.refresh,
    timezone: config.dashboards.timezone,
    tags+: config.dashboards.tags,
  },

  grafanaDashboards+:: {
    'herakles-proc-mem.json': board(import '../grafana/generated/herakles-proc-mem.json'),
    'herakles-host.json': board(import '../grafana/generated/herakles-host.json'),
    'herakles-fleet.json': board(import '../grafana/generated/herakles-fleet.json'),
    'herakles-exporter.json': board(import '../grafana/generated/herakles-exporter.json'),
  },
}
