// Makes valid UTF-8 of a comm, which may hold any bytes. Two different comms never get the same name: their processes would
// be one series. Example: the bytes `a\xff` become the five characters `a\xff`, and a comm that is spelled so becomes `a\x5cxff`.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * comm is any 15 bytes but NUL (prctl(2), PR_SET_NAME). Valid UTF-8 stays as it is. Otherwise each byte that is not
 * part of a valid character becomes `\xHH`, and a backslash that would read like such an escape becomes `\x5c`.
 */
export function commName(comm: Uint8Array): string {
  const text = valid(comm);
  if (text !== undefined) return distinct(text);
  let name = '';
  let at = 0;
  while (at < comm.length) {
    const size = characterSize(comm[at]!);
    const character = size > 0 && at + size <= comm.length ? valid(comm.subarray(at, at + size)) : undefined;
    if (character === undefined) {
      name += `\\x${comm[at]!.toString(16).padStart(2, '0')}`;
      at++;
    } else {
      name += character === '\\' && looksEscaped(comm, at) ? '\\x5c' : character;
      at += size;
    }
  }
  return name;
}

/** A comm that spells `\xHH` itself must not be taken for an escaped byte. */
const distinct = (text: string): string => text.replace(/\\(?=x[0-9a-f]{2})/g, '\\x5c');

const looksEscaped = (comm: Uint8Array, at: number): boolean =>
  /^x[0-9a-f]{2}/.test(String.fromCharCode(...comm.subarray(at + 1, at + 4)));

function valid(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Length of the UTF-8 character a byte begins; 0 where it begins none. */
function characterSize(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}
