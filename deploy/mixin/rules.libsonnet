// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.
// To use it, import mixin.libsonnet; docs/alerting.md shows how.
{
  local config = $._config.herakles,
  // What is filled into expressions and annotations: matchers that stand alone or before others, and labels.
  local cluster = config.clusterLabel,
  local words = {
    alone: if config.selector == '' then '' else '{' + config.selector + '}',
    andMore: if config.selector == '' then '' else config.selector + ', ',
    cluster: if cluster == '' then '' else cluster + ', ',
    clusterMatcher: if cluster == '' then '' else cluster + '=%q,',
    clusterValue: if cluster == '' then '' else '$labels.' + cluster + ' ',
    job: config.job,
    scheme: config.scheme,
  },
  local runbook(anchor, shipped) = if config.runbookUrl == null then shipped else config.runbookUrl + anchor,

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'herakles-growth',
        interval: '1m',
        rules: [
          // Slope of a straight line through the window, and how well the values fit the line: their correlation with time,
          // 1 for a perfect rise, about 0 for noise. In a window of w seconds, time has a standard deviation of w / 12 ^ 0.5.
          {
            record: 'herakles:subgroup_footprint_bytes:deriv1h',
            expr: 'deriv(herakles_mem_group_footprint_bytes%(alone)s[1h])' % words,
          },
          {
            record: 'herakles:subgroup_footprint_bytes:fit1h',
            expr: |||
              herakles:subgroup_footprint_bytes:deriv1h * 3600 / 12 ^ 0.5
                / stddev_over_time(herakles_mem_group_footprint_bytes%(alone)s[1h])
            ||| % words,
          },
          // The host's available memory lasts less than two hours at this slope. The rise is steady, it continues at half its
          // rate or more, and the whole window has data.
          {
            local own = config.alerts.HeraklesGroupWillExhaustHost.critical,
            alert: 'HeraklesGroupWillExhaustHost',
            expr: |||
              herakles_mem_system_available_bytes%(alone)s
                / on (%(cluster)sjob, instance) group_right () (herakles:subgroup_footprint_bytes:deriv1h > 0)
                < %(threshold).12g
              and herakles:subgroup_footprint_bytes:fit1h > 0.9
              and deriv(herakles_mem_group_footprint_bytes%(alone)s[10m]) > 0.5 * herakles:subgroup_footprint_bytes:deriv1h
              and herakles_mem_group_footprint_bytes%(alone)s offset 1h
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} will use up the memory in {{ $value | humanizeDuration }}',
              description: 'The group has grown steadily for the last hour and still grows. At this rate the available memory of the host is gone in {{ $value | humanizeDuration }}.',
              runbook_url: runbook('#heraklesgroupwillexhausthost', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupwillexhausthost' % words),
            },
          },
        ],
      },
      // Long windows over many series are expensive, so these rules run every five minutes only.
      {
        name: 'herakles-slow-growth',
        interval: '5m',
        rules: [
          {
            record: 'herakles:subgroup_footprint_bytes:deriv6h',
            expr: 'deriv(herakles_mem_group_footprint_bytes%(alone)s[6h])' % words,
          },
          {
            record: 'herakles:subgroup_footprint_bytes:fit6h',
            expr: |||
              herakles:subgroup_footprint_bytes:deriv6h * 21600 / 12 ^ 0.5
                / stddev_over_time(herakles_mem_group_footprint_bytes%(alone)s[6h])
            ||| % words,
          },
          // The same for a day, from a window of six hours.
          {
            local own = config.alerts.HeraklesGroupWillExhaustHost.warning,
            alert: 'HeraklesGroupWillExhaustHost',
            expr: |||
              herakles_mem_system_available_bytes%(alone)s
                / on (%(cluster)sjob, instance) group_right () (herakles:subgroup_footprint_bytes:deriv6h > 0)
                < %(threshold).12g
              and herakles:subgroup_footprint_bytes:fit6h > 0.9
              and herakles:subgroup_footprint_bytes:deriv1h > 0.5 * herakles:subgroup_footprint_bytes:deriv6h
              and herakles_mem_group_footprint_bytes%(alone)s offset 6h
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} will use up the memory in {{ $value | humanizeDuration }}',
              description: 'The group has grown steadily for the last six hours and still grows. At this rate the available memory of the host is gone in {{ $value | humanizeDuration }}.',
              runbook_url: runbook('#heraklesgroupwillexhausthost', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupwillexhausthost' % words),
            },
          },
          // Private memory only: memory that a process shares with others is not its leak. 16 KiB/s are 1.3 GiB a day.
          {
            local own = config.alerts.HeraklesProcessLeaks.warning,
            alert: 'HeraklesProcessLeaks',
            expr: |||
              deriv(herakles_mem_process_uss_bytes{%(andMore)spid!=""}[2h]) > %(threshold).12g
              and deriv(herakles_mem_process_uss_bytes{%(andMore)spid!=""}[2h]) * 7200 / 12 ^ 0.5
                / stddev_over_time(herakles_mem_process_uss_bytes{%(andMore)spid!=""}[2h])
                > 0.95
              and deriv(herakles_mem_process_uss_bytes{%(andMore)spid!=""}[30m])
                > 0.5 * deriv(herakles_mem_process_uss_bytes{%(andMore)spid!=""}[2h])
              and herakles_mem_process_uss_bytes{%(andMore)spid!=""} offset 2h
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.name }} (pid {{ $labels.pid }}) on {{ $labels.instance }} leaks {{ $value | humanize1024 }}B/s',
              description: 'The private memory of {{ $labels.name }} in {{ $labels.group }}/{{ $labels.subgroup }} has grown in a straight line for the last two hours, by {{ $value | humanize1024 }}B/s, and still grows.',
              runbook_url: runbook('#heraklesprocessleaks', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesprocessleaks' % words),
            },
          },
        ],
      },
      {
        name: 'herakles-memory',
        interval: '1m',
        rules: [
          {
            local own = config.alerts.HeraklesGroupFootprintHigh.warning,
            alert: 'HeraklesGroupFootprintHigh',
            expr: |||
              herakles_mem_group_footprint_bytes%(alone)s
                / on (%(cluster)sjob, instance) group_left () herakles_mem_system_total_bytes%(alone)s
                > %(threshold).12g
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} occupies {{ $value | humanizePercentage }} of the memory of {{ $labels.instance }}',
              description: 'The group occupies a large part of the memory of the host, and has done so for long. Shared pages count once.',
              runbook_url: runbook('#heraklesgroupfootprinthigh', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupfootprinthigh' % words),
            },
          },
          // The group is in the description, not in a label: the alert would start again whenever another group is the largest.
          {
            local own = config.alerts.HeraklesMemoryPressure.critical,
            alert: 'HeraklesMemoryPressure',
            expr: 'rate(herakles_mem_system_pressure_seconds_total{%(andMore)skind="some"}[5m]) > %(threshold).12g' % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'tasks on {{ $labels.instance }} wait for memory {{ $value | humanizePercentage }} of the time',
              description: '{{ $host := printf "{%(clusterMatcher)sjob=%%q,instance=%%q}" %(clusterValue)s$labels.job $labels.instance -}} {{ range printf "topk(1, delta(herakles_mem_group_footprint_bytes%%s[30m]) > 0)" $host | query -}} {{ .Labels.group }}/{{ .Labels.subgroup }} grew most in the last 30 minutes, by {{ .Value | humanize1024 }}B. {{ end -}} {{ range printf "topk(1, herakles_mem_group_footprint_bytes%%s)" $host | query -}} {{ .Labels.group }}/{{ .Labels.subgroup }} is the largest, with {{ .Value | humanize1024 }}B.{{ end }}' % words,
              runbook_url: runbook('#heraklesmemorypressure', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesmemorypressure' % words),
            },
          },
          // For kernels that do not report pressure, and to warn before pressure begins.
          {
            local own = config.alerts.HeraklesMemoryLow.warning,
            alert: 'HeraklesMemoryLow',
            expr: 'herakles_mem_system_available_bytes%(alone)s / herakles_mem_system_total_bytes%(alone)s < %(threshold).12g' % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $value | humanizePercentage }} of the memory of {{ $labels.instance }} is available',
              description: '{{ $host := printf "{%(clusterMatcher)sjob=%%q,instance=%%q}" %(clusterValue)s$labels.job $labels.instance -}} {{ range printf "topk(3, herakles_mem_group_footprint_bytes%%s)" $host | query | sortByLabel "subgroup" -}} {{ .Labels.group }}/{{ .Labels.subgroup }} occupies {{ .Value | humanize1024 }}B. {{ end -}} Programs cannot get more than the available memory without swapping.' % words,
              runbook_url: runbook('#heraklesmemorylow', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesmemorylow' % words),
            },
          },
          // Growth, not use: pages that were swapped out long ago and that nobody needs do no harm. 64 MiB in half an hour.
          {
            local own = config.alerts.HeraklesGroupSwapsOut.warning,
            alert: 'HeraklesGroupSwapsOut',
            expr: |||
              herakles_mem_group_swap_bytes%(alone)s - herakles_mem_group_swap_bytes%(alone)s offset 30m > %(threshold).12g
              and deriv(herakles_mem_group_swap_bytes%(alone)s[10m]) > 0
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} is being swapped out, {{ $value | humanize1024 }}B in half an hour',
              description: 'The kernel moves memory of the group to swap, {{ $value | humanize1024 }}B in the last 30 minutes, and goes on. The group waits for storage when it needs that memory again.',
              runbook_url: runbook('#heraklesgroupswapsout', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupswapsout' % words),
            },
          },
          // The kernel's count holds what was killed of a group or in a cgroup as well. Their alerts say more, so they come alone.
          {
            local own = config.alerts.HeraklesOomKill.warning,
            alert: 'HeraklesOomKill',
            expr: |||
              increase(herakles_mem_system_oom_kills_total%(alone)s[15m]) > 0
              unless on (%(cluster)sjob, instance) increase(herakles_group_oom_kills_total%(alone)s[15m]) > 0
              unless on (%(cluster)sjob, instance) increase(herakles_cgroup_oom_kills_total%(alone)s[15m]) > 0
            ||| % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the kernel killed processes on {{ $labels.instance }} because memory was used up',
              description: 'In the last 15 minutes processes were killed: the memory of the host, or of a cgroup, was used up.',
              runbook_url: runbook('#heraklesoomkill', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesoomkill' % words),
            },
          },
          {
            local own = config.alerts.HeraklesGroupOomKill.warning,
            alert: 'HeraklesGroupOomKill',
            expr: 'increase(herakles_group_oom_kills_total%(alone)s[15m]) > 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the kernel killed processes of {{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} because memory was used up',
              description: 'In the last 15 minutes processes of the group were killed: the memory of the host, or of a cgroup, was used up.',
              runbook_url: runbook('#heraklesgroupoomkill', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupoomkill' % words),
            },
          },
          // Needs collector_cgroup, as does the next one.
          {
            local own = config.alerts.HeraklesCgroupOomKill.warning,
            alert: 'HeraklesCgroupOomKill',
            expr: 'increase(herakles_cgroup_oom_kills_total%(alone)s[15m]) > 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the kernel killed processes of {{ $labels.cgroup }} on {{ $labels.instance }} because memory was used up',
              description: 'In the last 15 minutes processes of the cgroup were killed: its memory limit was reached, or the host had no memory left.',
              runbook_url: runbook('#heraklescgroupoomkill', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklescgroupoomkill' % words),
            },
          },
          // Page cache fills every limit and is given back when it is needed, so only the other memory counts.
          {
            local own = config.alerts.HeraklesCgroupNearLimit.warning,
            alert: 'HeraklesCgroupNearLimit',
            expr: |||
              (herakles_cgroup_memory_bytes%(alone)s - herakles_cgroup_memory_file_bytes%(alone)s + herakles_cgroup_memory_shmem_bytes%(alone)s)
                / min without (limit) (herakles_cgroup_memory_limit_bytes%(alone)s)
                > %(threshold).12g
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.cgroup }} on {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory limit',
              description: 'The cgroup uses nearly all memory that its limit allows; page cache does not count. At the limit the kernel kills processes of it, or slows them down.',
              runbook_url: runbook('#heraklescgroupnearlimit', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklescgroupnearlimit' % words),
            },
          },
          // 1 where the processes together have what the kernel says they have mapped. It is absent while PSS is not measured.
          {
            record: 'herakles:mem_attributed_ratio:avg1h',
            expr: 'avg_over_time(herakles_mem_system_attributed_ratio%(alone)s[1h])' % words,
          },
          {
            local own = config.alerts.HeraklesBooksDoNotBalance.info,
            alert: 'HeraklesBooksDoNotBalance',
            expr: |||
              herakles:mem_attributed_ratio:avg1h
              and (
                min_over_time(herakles_mem_system_attributed_ratio%(alone)s[1h]) > %(threshold).12g
                or max_over_time(herakles_mem_system_attributed_ratio%(alone)s[1h]) < 0.95
              )
              and last_over_time(herakles_mem_system_attributed_ratio%(alone)s[10m] offset 50m)
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the processes on {{ $labels.instance }} add up to {{ $value | humanizePercentage }} of what the kernel says they have mapped',
              description: "For an hour the PSS of all processes has been more than 5% away from the kernel's own sum, though it is measured. Either the exporter does not see every process, or memory is counted twice.",
              runbook_url: runbook('#heraklesbooksdonotbalance', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesbooksdonotbalance' % words),
            },
          },
        ],
      },
      {
        name: 'herakles-processes',
        interval: '30s',
        rules: [
          {
            local own = config.alerts.HeraklesDeclaredGroupGone.critical,
            alert: 'HeraklesDeclaredGroupGone',
            expr: |||
              sum by (%(cluster)sjob, instance, group, subgroup) (herakles_group_processes{%(andMore)sstate!="zombie"}) == 0
              and on (%(cluster)sjob, instance, group, subgroup) herakles_group_declared%(alone)s
            ||| % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'no process of {{ $labels.group }}/{{ $labels.subgroup }} runs on {{ $labels.instance }}',
              description: 'The group is declared on this host (declared_groups), but no process of it is running.',
              runbook_url: runbook('#heraklesdeclaredgroupgone', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesdeclaredgroupgone' % words),
            },
          },
          // The oldest process of a server is the one that started first: a restart replaces it, workers that come and go do not.
          {
            local own = config.alerts.HeraklesRestartLoop.critical,
            alert: 'HeraklesRestartLoop',
            expr: |||
              changes(herakles_group_oldest_start_time_seconds%(alone)s[15m]) >= %(threshold).12g
              and on (%(cluster)sjob, instance, group, subgroup) herakles_group_declared%(alone)s
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} keeps restarting',
              description: 'The oldest process of the group was replaced {{ $value }} times in 15 minutes.',
              runbook_url: runbook('#heraklesrestartloop', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesrestartloop' % words),
            },
          },
          // Undeclared groups only if they usually live long: no shells, compilers or cron jobs.
          {
            local own = config.alerts.HeraklesRestartLoop.warning,
            alert: 'HeraklesRestartLoop',
            expr: |||
              changes(herakles_group_oldest_start_time_seconds%(alone)s[15m]) >= %(threshold).12g
              and quantile_over_time(0.5, (time() - herakles_group_oldest_start_time_seconds%(alone)s)[1d:10m]) > 3600
              unless on (%(cluster)sjob, instance, group, subgroup) herakles_group_declared%(alone)s
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} keeps restarting',
              description: 'The oldest process of the group was replaced {{ $value }} times in 15 minutes.',
              runbook_url: runbook('#heraklesrestartloop', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesrestartloop' % words),
            },
          },
          // A zombie has ended and takes no memory, but a pid. A few that stay for a moment are normal.
          {
            local own = config.alerts.HeraklesZombies.warning,
            alert: 'HeraklesZombies',
            expr: 'sum by (%(cluster)sjob, instance, group, subgroup) (herakles_group_processes{%(andMore)sstate="zombie"}) > %(threshold).12g' % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} has {{ $value }} zombies',
              description: 'These processes of the group ended, but their parent does not wait for them. When the host has no pid left, no program can start.',
              runbook_url: runbook('#herakleszombies', '%(scheme)s://{{ $labels.instance }}/runbooks#herakleszombies' % words),
            },
          },
          // Needs collector_descriptors. The process that is nearest to its limit is in the description: it may change.
          {
            local own = config.alerts.HeraklesDescriptorsRunOut.warning,
            alert: 'HeraklesDescriptorsRunOut',
            expr: 'herakles_group_max_fds_ratio%(alone)s > %(threshold).12g' % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'a process of {{ $labels.group }}/{{ $labels.subgroup }} on {{ $labels.instance }} has {{ $value | humanizePercentage }} of its descriptors open',
              description: '{{ $group := printf "{%(clusterMatcher)sjob=%%q,instance=%%q,group=%%q,subgroup=%%q}" %(clusterValue)s$labels.job $labels.instance $labels.group $labels.subgroup -}} {{ range printf "topk(1, herakles_process_open_fds%%s)" $group | query -}} {{ .Labels.name }} (pid {{ .Labels.pid }}) has most, {{ .Value }}. {{ end -}} A process without a free descriptor can open no file and take no connection.' % words,
              runbook_url: runbook('#heraklesdescriptorsrunout', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesdescriptorsrunout' % words),
            },
          },
          // Needs process_context_switches. Threads that only share too few CPUs are switched some 50 times a second.
          {
            local own = config.alerts.HeraklesContextSwitches.info,
            alert: 'HeraklesContextSwitches',
            expr: |||
              rate(herakles_process_voluntary_context_switches_total%(alone)s[5m])
                + rate(herakles_process_involuntary_context_switches_total%(alone)s[5m])
                > %(threshold).12g
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.name }} (pid {{ $labels.pid }}) on {{ $labels.instance }} is switched {{ $value | humanize }} times a second',
              description: 'The first thread of {{ $labels.name }} in {{ $labels.group }}/{{ $labels.subgroup }} gets and loses its CPU very often. Each switch costs microseconds: the process works in pieces that are too small.',
              runbook_url: runbook('#heraklescontextswitches', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklescontextswitches' % words),
            },
          },
          {
            local own = config.alerts.HeraklesGroupSaturatesCpu.warning,
            alert: 'HeraklesGroupSaturatesCpu',
            expr: |||
              sum by (%(cluster)sjob, instance, group, subgroup) (rate(herakles_cpu_group_seconds_total%(alone)s[5m]))
                / on (%(cluster)sjob, instance) group_left () herakles_cpu_system_cpus%(alone)s
                > %(threshold).12g
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.group }}/{{ $labels.subgroup }} uses {{ $value | humanizePercentage }} of the CPUs of {{ $labels.instance }}',
              description: 'The group leaves little of the CPU time of the host for everything else.',
              runbook_url: runbook('#heraklesgroupsaturatescpu', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesgroupsaturatescpu' % words),
            },
          },
        ],
      },
      {
        name: 'herakles-exporter',
        interval: '1m',
        rules: [
          {
            local own = config.alerts.HeraklesExporterDown.warning,
            alert: 'HeraklesExporterDown',
            expr: 'up{%(andMore)sjob="%(job)s"} == 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the exporter on {{ $labels.instance }} cannot be scraped',
              description: 'Prometheus cannot scrape the exporter. Until it can, no other alert of this host can fire.',
              runbook_url: runbook('#heraklesexporterdown', '{{ with query "up{job=\\"%(job)s\\"} == 1" | sortByLabel "instance" }}%(scheme)s://{{ . | first | label "instance" }}/runbooks{{ else }}docs/alerting.md{{ end }}#heraklesexporterdown' % words),
            },
          },
          // Only of the whole job: a single host may come and go. The link leads to an exporter that was scraped in the last day.
          {
            local own = config.alerts.HeraklesTargetAbsent.critical,
            alert: 'HeraklesTargetAbsent',
            expr: 'absent(up{%(andMore)sjob="%(job)s"})' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'Prometheus has no target in the job %(job)s' % words,
              description: 'Prometheus knows no exporter: the job is not in its configuration, has another name, or discovery finds no host. No other alert of these rules can fire.',
              runbook_url: runbook('#heraklestargetabsent', '{{ with query "last_over_time(up{job=\\"%(job)s\\"}[1d])" | sortByLabel "instance" }}%(scheme)s://{{ . | first | label "instance" }}/runbooks{{ else }}docs/alerting.md{{ end }}#heraklestargetabsent' % words),
            },
          },
          {
            local own = config.alerts.HeraklesExporterStale.warning,
            alert: 'HeraklesExporterStale',
            expr: |||
              herakles_exporter_collection_age_seconds%(alone)s > %(threshold).12g
              or on (%(cluster)sjob, instance) herakles_exporter_cache_update_success%(alone)s == 0
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the exporter on {{ $labels.instance }} serves old values',
              description: 'The exporter answers, but its collections fail or hang. Its values are old, or it has none.',
              runbook_url: runbook('#heraklesexporterstale', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesexporterstale' % words),
            },
          },
          // The share of the memory whose PSS is measured. One or two small unreadable processes do not fire the alert.
          {
            local own = config.alerts.HeraklesExporterLacksPrivilege.info,
            alert: 'HeraklesExporterLacksPrivilege',
            expr: |||
              sum by (%(cluster)sjob, instance) (herakles_mem_group_pss_coverage_ratio%(alone)s * herakles_mem_group_footprint_bytes%(alone)s)
                / sum by (%(cluster)sjob, instance) (herakles_mem_group_footprint_bytes%(alone)s)
                < %(threshold).12g
              and on (%(cluster)sjob, instance)
                herakles_exporter_unreadable_processes{%(andMore)sfile="smaps_rollup", reason="denied"} > 0
            ||| % (words + own),
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the exporter on {{ $labels.instance }} may read the PSS of only {{ $value | humanizePercentage }} of the memory',
              description: 'PSS and USS of the other processes are absent. The footprint of their groups is an estimate. "herakles-node-exporter check" says which capability to grant.',
              runbook_url: runbook('#heraklesexporterlacksprivilege', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesexporterlacksprivilege' % words),
            },
          },
          {
            local own = config.alerts.HeraklesSeriesBudgetExceeded.warning,
            alert: 'HeraklesSeriesBudgetExceeded',
            expr: 'sum by (%(cluster)sjob, instance) (herakles_exporter_series_dropped%(alone)s) > 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the exporter on {{ $labels.instance }} leaves out {{ $value }} series',
              description: 'A response would have more series than max_series. The exporter leaves out series of processes first and series of groups last.',
              runbook_url: runbook('#heraklesseriesbudgetexceeded', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesseriesbudgetexceeded' % words),
            },
          },
          {
            local own = config.alerts.HeraklesConfigReloadFailed.warning,
            alert: 'HeraklesConfigReloadFailed',
            expr: 'herakles_exporter_config_last_reload_successful%(alone)s == 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: 'the exporter on {{ $labels.instance }} could not load its configuration',
              description: 'The previous configuration stays in force. The log and the page /config name every mistake.',
              runbook_url: runbook('#heraklesconfigreloadfailed', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesconfigreloadfailed' % words),
            },
          },
          {
            local own = config.alerts.HeraklesUnknownGroupName.warning,
            alert: 'HeraklesUnknownGroupName',
            expr: 'herakles_exporter_unknown_names%(alone)s > 0' % words,
            'for': own['for'],
            labels: {
              severity: own.severity,
            },
            annotations: {
              summary: '{{ $labels.setting }} of the exporter on {{ $labels.instance }} names {{ $value }} group(s) that exist nowhere',
              description: 'No rule has such a group, so the setting has no effect on it: a declared group is not watched, a search finds nothing. The log and the landing page have the names, and the nearest names that there are.',
              runbook_url: runbook('#heraklesunknowngroupname', '%(scheme)s://{{ $labels.instance }}/runbooks#heraklesunknowngroupname' % words),
            },
          },
        ],
      },
    ],
  },

  prometheusRules+:: {
    groups+: [
      {
        name: 'herakles-proc-mem-aggregation',
        interval: '60s',
        rules: [
          // RSS counts a shared page once for each process: compare it, but do not add it up. See the footprint below.
          // These read the group families: those cover all processes, whatever per_process and the filters leave out.
          {
            record: 'herakles:proc_mem_rss_bytes_by_group:sum',
            expr: 'sum by (%(cluster)sgroup) (herakles_mem_group_rss_bytes%(alone)s)' % words,
          },
          {
            record: 'herakles:proc_mem_rss_bytes_by_subgroup:sum',
            expr: 'sum by (%(cluster)sgroup, subgroup) (herakles_mem_group_rss_bytes%(alone)s)' % words,
          },
          // What a group really occupies on a host. For subgroups read herakles_mem_group_footprint_bytes itself.
          {
            record: 'herakles:group_footprint_bytes:sum',
            expr: 'sum by (%(cluster)sjob, instance, group) (herakles_mem_group_footprint_bytes%(alone)s)' % words,
          },
          // Processes that have memory: no zombies, no kernel threads.
          {
            record: 'herakles:proc_count_by_group:count',
            expr: 'sum by (%(cluster)sgroup) (herakles_group_processes{%(andMore)sstate!="zombie", subgroup!="kernel"})' % words,
          },
          {
            record: 'herakles:proc_mem_rss_bytes_by_subgroup:avg',
            expr: |||
              sum by (%(cluster)sgroup, subgroup) (herakles_mem_group_rss_bytes%(alone)s)
                / (sum by (%(cluster)sgroup, subgroup) (herakles_group_processes{%(andMore)sstate!="zombie"}) > 0)
            ||| % words,
          },
          // Covers only the time between the exporter's last two collections. The rate below misses nothing between two scrapes, not even children
          // that started and ended there.
          {
            record: 'herakles:proc_cpu_percent_by_group:sum',
            expr: 'sum by (%(cluster)sgroup) (herakles_cpu_group_usage_percent_sum%(alone)s)' % words,
          },
          {
            record: 'herakles:group_cpu_cores:rate5m',
            expr: 'sum by (%(cluster)sjob, instance, group) (rate(herakles_cpu_group_seconds_total%(alone)s[5m]))' % words,
          },
          // deriv() in spite of the name: RSS is a gauge, and rate() reads every decrease of a gauge as a reset.
          {
            record: 'herakles:proc_mem_rss_bytes:rate5m',
            expr: 'deriv(herakles_mem_process_rss_bytes{%(andMore)spid!=""}[5m])' % words,
          },
          {
            record: 'herakles:subgroup_footprint_bytes:deriv5m',
            expr: 'deriv(herakles_mem_group_footprint_bytes%(alone)s[5m])' % words,
          },
        ],
      },
      {
        name: 'herakles-proc-mem-alerting',
        interval: '30s',
        rules: [
          // The ten with the highest peak of the last hour: with a plain topk(), series come and go at every evaluation.
          {
            record: 'herakles:proc_mem_top10_rss:bytes',
            expr: |||
              herakles_mem_process_rss_bytes{%(andMore)spid!=""}
                and topk(10,
                  max_over_time(herakles_mem_process_rss_bytes{%(andMore)spid!=""}[1h])
                    and herakles_mem_process_rss_bytes{%(andMore)spid!=""}
                )
            ||| % words,
          },
          // If no process is above n: sum(x > bool n) is 0, count(x > n) is absent. If no process has series: both are absent.
          // `count(x > n) or vector(0)` is 0 in both cases.
          {
            local own = config.records['herakles:proc_high_memory:count'],
            record: 'herakles:proc_high_memory:count',
            expr: 'sum(herakles_mem_process_rss_bytes{%(andMore)spid!=""} > bool %(threshold).12g)' % (words + own),
          },
          // With per_process top only the processes with most memory have series: a small one that uses much CPU is missing.
          {
            local own = config.records['herakles:proc_high_cpu:count'],
            record: 'herakles:proc_high_cpu:count',
            expr: 'sum(herakles_cpu_process_usage_percent{%(andMore)spid!=""} > bool %(threshold).12g)' % (words + own),
          },
        ],
      },
      {
        name: 'herakles-storage-optimization',
        rules: [
          // The guide defined this as a sum of RSS. Here it is the footprint.
          {
            record: 'herakles:memory_by_group:sum',
            expr: 'sum by (%(cluster)sgroup) (herakles_mem_group_footprint_bytes%(alone)s)' % words,
          },
        ],
      },
    ],
  },
}
