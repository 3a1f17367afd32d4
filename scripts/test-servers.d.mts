// The types of test-servers.mjs, which is plain JavaScript so that it runs before anything is installed.
export declare function ensure<Name extends string>(...names: Name[]): Record<Name, string>;
export declare const SERVERS: Record<string, { from: 'apt' | 'suite' | 'unpacked' | 'npm'; path: string }>;
