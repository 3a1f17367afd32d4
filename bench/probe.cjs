// Preloaded into an exporter under test (node --require): on SIGUSR2 it prints its longest event-loop stall since the last
// time, in seconds, on standard error, and ends watching the loop or begins again: watching takes CPU, too.
const { monitorEventLoopDelay } = require('node:perf_hooks');

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let watching = true;

process.on('SIGUSR2', () => {
  process.stderr.write(`probe ${delay.max / 1e9}\n`);
  delay.reset();
  watching = !watching;
  if (watching) delay.enable();
  else delay.disable();
});
