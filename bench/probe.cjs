// Loaded into a program under test (node --require). On SIGUSR2 it prints the longest stall of the event loop since the last
// SIGUSR2, in seconds, on standard error. It also stops or restarts the measurement of stalls, because that takes CPU too.
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
