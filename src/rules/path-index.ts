// Rules by paths: by their first folders, and by names between their slashes.
import { BitSet } from '../pattern/bit-set.ts';
import { globPrefix, isGlob } from '../pattern/pattern.ts';
import { hashOnLetter, NO_LETTERS, slotOf } from './letter-hash.ts';
import type { MatchTarget } from './match-target.ts';
import { type IndexEntry, NameIndex } from './name-index.ts';
import { type RankedRule, RuleTable } from './rule-table.ts';

const SLASH = 0x2f;
/** Folders of a path by which path values are entered: "/usr/", "/usr/lib/", "/usr/lib/cyrus/"… */
const FOLDERS_MAX = 3;
/** A value is entered by this many letters of the next name as well, if it has them: "/opt/druid*" by "/opt/dru". */
const LETTERS_BEHIND = 3;
const FOLDERS = new RegExp(`^/(?:[^/]*/){1,${FOLDERS_MAX}}(?:[^/]{${LETTERS_BEHIND}})?`);

/** Bits of the places in the sets of folders and of texts. */
const BITS = 14;

export class PathIndex {
  /** The lowest rank in this index. A search that has found a lower one already can leave this index out. */
  private firstRank = Number.POSITIVE_INFINITY;
  private readonly folders = new RuleTable((text) => this.noteFolder(text));
  /** The places of the folders of all texts in `folders`: a path that leaves these folders has no rule below. */
  private readonly leading = new BitSet(BITS);
  /** The places of the texts themselves. */
  private readonly entered = new BitSet(BITS);
  private folderKeys = 0;
  private readonly parts = new NameIndex();
  private partKeys = 0;

  /** Where a path, or a glob of paths, can be entered. */
  entriesOf(path: string): IndexEntry[] {
    const folder = FOLDERS.exec(globPrefix(path))?.[0];
    if (folder !== undefined) return [{ table: this.folders, text: folder }];
    // A slash within brackets divides nothing.
    if (/[[\\]/.test(path)) return [];
    return path
      .split('/')
      .slice(1)
      .map((part) => (isGlob(part) ? this.parts.entryOfGlob(part) : this.parts.entryOf(part)))
      .filter((entry) => entry !== undefined)
      .map((entry) => ({ ...entry, isPart: true }));
  }

  /** Notes what is entered, so that a search can leave out the rest. */
  note({ isPart }: IndexEntry, key: number, rank: number): void {
    this.firstRank = Math.min(this.firstRank, rank);
    if (isPart) this.partKeys |= key;
    else this.folderKeys |= key;
  }

  /** Notes a text that is entered in `folders`, and each of its folders. */
  private noteFolder(text: string): void {
    let hash = NO_LETTERS;
    for (let at = 0; at < text.length; at++) {
      hash = hashOnLetter(hash, text.charCodeAt(at));
      if (text.charCodeAt(at) === SLASH) this.leading.add(slotOf(hash, BITS));
    }
    this.entered.add(slotOf(hash, BITS));
  }

  /** The first match among the rules for a path, or `best` where that decides before. @param keys whose value it is */
  find(path: string, keys: number, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    if (best !== undefined && best.rank < this.firstRank) return best;
    const found = (this.folderKeys & keys) === 0 ? best : this.findByFolders(path, keys, target, best);
    return (this.partKeys & keys) === 0 ? found : this.findByParts(path, keys, target, found);
  }

  private findByFolders(path: string, keys: number, target: MatchTarget, best: RankedRule | undefined) {
    if (path === '' || path.charCodeAt(0) !== SLASH) return best;
    const { folders } = this;
    const length = Math.min(path.length, folders.lettersMax);
    let found = best;
    let hash = hashOnLetter(NO_LETTERS, SLASH);
    let depth = 0;
    /** Where the letters behind the last folder end. */
    let lettersEnd = 0;
    for (let at = 1; at < length; ) {
      const letter = path.charCodeAt(at++);
      hash = hashOnLetter(hash, letter);
      if (letter !== SLASH && at !== lettersEnd) continue;
      const place = slotOf(hash, BITS);
      if (letter === SLASH) {
        if (depth++ === FOLDERS_MAX || !this.leading.has(place)) return found;
        lettersEnd = at + LETTERS_BEHIND;
      }
      if (this.entered.has(place)) found = folders.find(hash, path, 0, at, keys, target, found);
    }
    return found;
  }

  private findByParts(path: string, keys: number, target: MatchTarget, best: RankedRule | undefined) {
    let found = best;
    for (let slash = path.indexOf('/'); slash >= 0; ) {
      const start = slash + 1;
      slash = path.indexOf('/', start);
      found = this.parts.find(path, start, slash < 0 ? path.length : slash, keys, target, found);
    }
    return found;
  }
}
