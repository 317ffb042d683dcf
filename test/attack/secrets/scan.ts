/** Looks for secrets in everything that a server wrote, said or sent: whole, in every usual coding, and in pieces. */

/** Something that the server wrote or sent, and what it was. */
export interface Place {
  readonly name: string;
  readonly content: Buffer;
}

/** A piece of this length is worth having to whoever wants the whole. */
export const PIECE_LENGTH = 12;

/** The forms in which a secret may stand somewhere. `users` are the names that it may be paired with in a header. */
export function formsOf(secret: string, users: readonly string[] = []): readonly string[] {
  const base64 = [0, 1, 2].map((offset) => innerBase64(secret, offset));
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    ...base64,
    ...users.map((user) => innerBase64(secret, Buffer.byteLength(`${user}:`))),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ];
}

/** The base64 of a secret that follows `offset` bytes of something else, without what depends on its neighbours. */
function innerBase64(secret: string, offset: number): string {
  const start = (3 - (offset % 3)) % 3;
  const bytes = Buffer.from(secret).subarray(start);
  return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64');
}

/** Which secret stands where, as `name in place`. */
export function findings(
  places: readonly Place[],
  secrets: Readonly<Record<string, string>>,
  users: readonly string[] = [],
): readonly string[] {
  const pieces = Object.entries(secrets).map(([name, secret]) => [name, piecesOf(formsOf(secret, users))] as const);
  return places.flatMap(({ name: place, content }) =>
    pieces
      .filter(([, wanted]) => wanted.some((piece) => content.includes(piece)))
      .map(([name]) => `${name} in ${place}`),
  );
}

function piecesOf(forms: readonly string[]): readonly Buffer[] {
  const pieces = new Set<string>();
  for (const form of forms) {
    if (form.length < PIECE_LENGTH) continue;
    for (let at = 0; at + PIECE_LENGTH <= form.length; at += 1) pieces.add(form.slice(at, at + PIECE_LENGTH));
  }
  return [...pieces].map((piece) => Buffer.from(piece));
}
