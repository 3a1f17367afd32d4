// Rules by paths: by their first folders, and by names between their slashes.
import { globPrefix, isGlob } from '../pattern/pattern.ts';
import { hashOn, NO_LETTERS } from './letter-hash.ts';
import type { MatchTarget } from './match-target.ts';
import { type IndexEntry, NameIndex } from './name-index.ts';
import { type RankedRule, RuleTable } from './rule-table.ts';

const SLASH = 0x2f;
/** Folders of a path by which path values are entered: "/usr/", "/usr/lib/", "/usr/lib/cyrus/"… */
const FOLDERS_MAX = 3;
/** A folder may be followed by the first letters of the next name: "/opt/dru". There are so many. */
const LETTERS_BEHIND = 3;
const FOLDERS = new RegExp(`^/(?:[^/]*/){1,${FOLDERS_MAX}}(?:[^/]{${LETTERS_BEHIND}})?`);

export class PathIndex {
  /** The lowest rank in this index. A search that has found a lower one already can leave this index out. */
  private firstRank = Number.POSITIVE_INFINITY;
  private readonly folders = new RuleTable();
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

  /** The first match among the rules for a path, or `best` where that decides before. @param keys whose value it is */
  find(path: string, keys: number, target: MatchTarget, best: RankedRule | undefined): RankedRule | undefined {
    if (best !== undefined && best.rank < this.firstRank) return best;
    const found = (this.folderKeys & keys) === 0 ? best : this.findByFolders(path, keys, target, best);
    return (this.partKeys & keys) === 0 ? found : this.findByParts(path, keys, target, found);
  }

  private findByFolders(path: string, keys: number, target: MatchTarget, best: RankedRule | undefined) {
    const { folders } = this;
    let found = best;
    let slash = path.charCodeAt(0) === SLASH ? path.indexOf('/', 1) : -1;
    let hash = NO_LETTERS;
    let hashed = 0;
    for (let depth = 0; depth < FOLDERS_MAX && slash > 0; depth++) {
      const start = slash + 1;
      hash = hashOn(hash, path, hashed, start);
      hashed = start;
      found = folders.find(hash, path, 0, start, keys, target, found);
      slash = path.indexOf('/', start);
      const end = start + LETTERS_BEHIND;
      if (end <= (slash < 0 ? path.length : slash))
        found = folders.find(hashOn(hash, path, start, end), path, 0, end, keys, target, found);
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
