// Takes the signals that Node.js gives a meaning of its own. main.ts imports this file before any other.
//
// SIGUSR1 makes Node.js open its debugger on 127.0.0.1:9229, where every local user who connects runs code with the rights
// of this program (nodejs.org/api/process.html, "Signal events"; Node.js 20 to 24). A logrotate script or an operator sends
// this signal without meaning that. A listener takes the place of Node's own handler, so from here on the signal does
// nothing; `serve` writes a line in its log. SIGUSR2 would end the program, and is taken for the same reason.
//
// Before this line runs, Node.js itself starts, for some 30 ms, and a SIGUSR1 then still opens the debugger. Two things hold
// that: `serve` ends where it finds a debugger (serve/node-options.ts), and the unit, the image and `npm start` give Node an
// address for the debugger that no machine has: --inspect-port=192.0.2.1:9229 (RFC 5737, section 3).

/** Signals that this program ignores. */
export const IGNORED_SIGNALS = ['SIGUSR1', 'SIGUSR2'] as const;

for (const signal of IGNORED_SIGNALS) process.on(signal, () => {});
