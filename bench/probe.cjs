// Preloaded into an exporter under test (node --require): on SIGUSR2 it prints its longest event-loop stall, memory and
// CPU since the last time as one line of JSON on standard error.
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { readFileSync } = require('node:fs');

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let before = process.cpuUsage();

process.on('SIGUSR2', () => {
  const status = readFileSync('/proc/self/status', 'latin1');
  const kilobytes = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)[1]) * 1024;
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  const reading = {
    stallSeconds: delay.max / 1e9,
    cpuSeconds: (user + system) / 1e6,
    rss: kilobytes('VmRSS'),
    anonymous: kilobytes('RssAnon'),
    peak: kilobytes('VmHWM'),
    heapUsed: process.memoryUsage().heapUsed,
  };
  delay.reset();
  process.stderr.write(`probe ${JSON.stringify(reading)}\n`);
});
