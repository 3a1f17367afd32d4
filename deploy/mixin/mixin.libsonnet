// The monitoring mixin: prometheusAlerts, prometheusRules and grafanaDashboards, and what can be changed in
// `_config.herakles` (config.libsonnet). docs/alerting.md shows how to use it.
local defaults = (import 'config.libsonnet')._config.herakles;

// Names that _config must not have, because nothing reads them.
local unknown(given, known, path) = std.flattenArrays([
  if !std.objectHas(known, name) then [path + name]
  else if std.isObject(known[name]) then unknown(given[name], known[name], path + name + '.')
  else []
  for name in std.objectFields(given)
]);

(import 'config.libsonnet') +
(import 'rules.libsonnet') +
(import 'dashboards.libsonnet') +
{
  local wrong = unknown($._config.herakles, defaults, '_config.herakles.'),
  assert wrong == [] : 'no such setting in the Herakles mixin: %s; config.libsonnet has all' % std.join(', ', wrong),
}
