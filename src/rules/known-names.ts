// Tells whether some rule may know a program by a name: a Bloom filter with two bits for each exact value of comm and
// script. "No" is sure. "Yes" may be wrong for a few names in a thousand; the rules are then compared and none matches.
// So a process that no rule knows costs a few look-ups in 32 KiB, and these make no string.
//
// It also knows which long name the kernel's 15 bytes of it stand for. That completes a name where nothing else can: a
// zombie has no command line.
import { BitSet } from '../pattern/bit-set.ts';
import { truncateComm } from './full-name.ts';
import { hashOn, NO_LETTERS } from './letter-hash.ts';
import type { Rule } from './rule.ts';

const BITS = 18;
const MASK = (1 << BITS) - 1;

/** 32 bits. Their first 18 and their last 18 are two places in the filter. */
function hashOf(text: string, start: number, end: number): number {
  const hash = hashOn(NO_LETTERS, text, start, end);
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
}

export class KnownNames {
  private readonly places = new BitSet(BITS);
  /** The long name that a rule has, by its first 15 bytes; '' where two names begin with them. */
  private readonly cut = new Map<string, string>();

  add({ keys }: Rule): void {
    for (const key of ['comm', 'script'] as const)
      for (const { form, path, text } of keys.get(key) ?? [])
        if (form === 'literal' && !path) {
          const hash = hashOf(text, 0, text.length);
          this.places.add(hash & MASK);
          this.places.add(hash >>> (32 - BITS));
          this.addCut(text);
        }
  }

  /** Whether a rule may have the part of a text as an exact name. */
  has(text: string, start = 0, end = text.length): boolean {
    const hash = hashOf(text, start, end);
    return this.places.has(hash & MASK) && this.places.has(hash >>> (32 - BITS));
  }

  private addCut(text: string): void {
    const start = truncateComm(text);
    if (start === text) return;
    const other = this.cut.get(start);
    this.cut.set(start, other === undefined || other === text ? text : '');
  }

  /** The only long name of a rule that the kernel cuts to this one; '' where there is none, or more than one. */
  completed(comm: string): string {
    return this.cut.get(comm) ?? '';
  }
}
