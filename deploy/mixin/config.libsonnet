// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.
// To use it, import mixin.libsonnet; docs/alerting.md shows how.
{
  // Mixins that are used together share _config: so everything is under a name of its own.
  _config+:: {
    herakles+: {
      // Matchers of all series of the exporter, such as 'job="herakles-proc-mem", env="production"'. Empty: every series.
      selector: '',
      // The job of the exporters in Prometheus.
      job: 'herakles-proc-mem',
      // The label by which Prometheus tells clusters apart, where it has several. Empty: it has no such label.
      clusterLabel: '',
      // http or https: how people reach the exporters, which serve the runbook of each alert.
      scheme: 'http',
      // The address of your own copy of docs/alerting.md. null: the page /runbooks of the exporter.
      runbookUrl: null,
      // Tags are added to the tag "herakles", by which the dashboards link to each other.
      dashboards: { refresh: '30s', timezone: 'browser', tags: [] },
      // Of each alert, by its severity: the number with which its expression compares, how long that must last, the severity.
      alerts: {
        HeraklesGroupWillExhaustHost: {
          critical: { threshold: 7200, 'for': '5m', severity: 'critical' },
          warning: { threshold: 86400, 'for': '15m', severity: 'warning' },
        },
        HeraklesProcessLeaks: {
          warning: { threshold: 16384, 'for': '10m', severity: 'warning' },
        },
        HeraklesGroupFootprintHigh: {
          warning: { threshold: 0.8, 'for': '15m', severity: 'warning' },
        },
        HeraklesMemoryPressure: {
          critical: { threshold: 0.2, 'for': '5m', severity: 'critical' },
        },
        HeraklesMemoryLow: {
          warning: { threshold: 0.05, 'for': '5m', severity: 'warning' },
        },
        HeraklesGroupSwapsOut: {
          warning: { threshold: 67108864, 'for': '5m', severity: 'warning' },
        },
        HeraklesOomKill: {
          warning: { 'for': '0m', severity: 'warning' },
        },
        HeraklesGroupOomKill: {
          warning: { 'for': '0m', severity: 'warning' },
        },
        HeraklesCgroupOomKill: {
          warning: { 'for': '0m', severity: 'warning' },
        },
        HeraklesCgroupNearLimit: {
          warning: { threshold: 0.9, 'for': '10m', severity: 'warning' },
        },
        HeraklesBooksDoNotBalance: {
          info: { threshold: 1.05, 'for': '5m', severity: 'info' },
        },
        HeraklesDeclaredGroupGone: {
          critical: { 'for': '2m', severity: 'critical' },
        },
        HeraklesRestartLoop: {
          critical: { threshold: 3, 'for': '1m', severity: 'critical' },
          warning: { threshold: 3, 'for': '1m', severity: 'warning' },
        },
        HeraklesZombies: {
          warning: { threshold: 20, 'for': '15m', severity: 'warning' },
        },
        HeraklesDescriptorsRunOut: {
          warning: { threshold: 0.8, 'for': '10m', severity: 'warning' },
        },
        HeraklesContextSwitches: {
          info: { threshold: 10000, 'for': '15m', severity: 'info' },
        },
        HeraklesGroupSaturatesCpu: {
          warning: { threshold: 0.9, 'for': '15m', severity: 'warning' },
        },
        HeraklesExporterDown: {
          warning: { 'for': '5m', severity: 'warning' },
        },
        HeraklesTargetAbsent: {
          critical: { 'for': '5m', severity: 'critical' },
        },
        HeraklesExporterStale: {
          warning: { threshold: 120, 'for': '5m', severity: 'warning' },
        },
        HeraklesExporterLacksPrivilege: {
          info: { threshold: 0.9, 'for': '15m', severity: 'info' },
        },
        HeraklesSeriesBudgetExceeded: {
          warning: { 'for': '10m', severity: 'warning' },
        },
        HeraklesConfigReloadFailed: {
          warning: { 'for': '5m', severity: 'warning' },
        },
        HeraklesUnknownGroupName: {
          warning: { 'for': '15m', severity: 'warning' },
        },
      },
      // Of recording rules that count what is above a number: that number.
      records: {
        'herakles:proc_high_memory:count': {
          threshold: 1073741824,
        },
        'herakles:proc_high_cpu:count': {
          threshold: 80,
        },
      },
    },
  },
}
