// What happened to a process since it was last read: the difference between two readings of its cheap counters.
// It is complete before anything takes it, so that takers do not depend on each other's order. One object is reused for
// all processes: it holds until the next process is read.

/** Gains are never negative, also where a counter of the kernel fell. Of a process that is read for the first time: since its start. */
export class Difference {
  /** The process is read for the first time. */
  first = false;
  /** It began since the last pass: all that it ever did happened since then. */
  born = false;
  /** The gains belong into the group counters: not those of a process that is read for the first time but began earlier. */
  counted = false;
  /** It became another program. */
  executed = false;
  /** It did not run, fault or lose pages, as far as stat tells. */
  idle = false;
  /** CPU seconds of its own, and of children that it waited for. */
  user = 0;
  system = 0;
  childrenUser = 0;
  childrenSystem = 0;
  minorFaults = 0;
  majorFaults = 0;
  /** Bytes of storage I/O, with those of children that it waited for; 0 where the reading before is not known. */
  readBytes = 0;
  writeBytes = 0;
  /** Bytes of memory touched or given back; NaN where statm was not read. */
  memoryMoved = Number.NaN;
}
