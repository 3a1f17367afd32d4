// tar-stream has no types of its own, and those of others lack `pax`.
declare module 'tar-stream' {
  export interface Header {
    readonly name: string;
    readonly type?: 'file' | 'directory' | 'symlink';
    readonly linkname?: string | undefined;
    readonly mode?: number;
    readonly mtime: Date;
    /** Extended attributes and the like, below the names that pax(1) and GNU tar give them. */
    readonly pax?: Readonly<Record<string, string>> | undefined;
  }
  export interface Pack extends AsyncIterable<Buffer> {
    entry(header: Header, content?: string | Buffer): void;
    finalize(): void;
  }
  export function pack(): Pack;
}
