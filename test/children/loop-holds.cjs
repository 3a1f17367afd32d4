// Loaded into a program under test (node --require). On SIGUSR2 it prints, on standard error, for how many milliseconds the
// event loop was held at most since the last one: CPU time of the main thread between two turns of a timer. The time of a
// clock would also count what other programs take of a busy machine.
const { openSync, readSync } = require('node:fs');

const file = openSync('/proc/thread-self/schedstat', 'r');
const bytes = Buffer.alloc(100);

/** CPU time of this thread, nanoseconds. */
function cpu() {
  const length = readSync(file, bytes, 0, bytes.length, 0);
  return Number.parseInt(bytes.toString('latin1', 0, length), 10);
}

let last = cpu();
/** @type {number[]} milliseconds */
let holds = [];
let turns = 0;
setInterval(() => {
  const now = cpu();
  holds.push((now - last) / 1e6);
  last = now;
  turns++;
  if (holds.length >= 2000) holds = longest();
}, 1).unref();

const longest = () => holds.sort((a, b) => b - a).slice(0, 1000);

process.on('SIGUSR2', () => {
  const told = longest().slice(0, 10);
  process.stderr.write(`holds ${turns} ${told.map((ms) => ms.toFixed(1)).join(' ')}\n`);
  holds = [];
  turns = 0;
});
