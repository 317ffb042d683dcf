/** A client and our server on a telephone system, with what the audit and the user get to see. */
import type { Scope } from '../../src/config/access.ts';
import type { Toolset } from '../../src/config/schema.ts';
import type { AuditEntry } from '../../src/mcp/audit.ts';
import { LOCAL_SESSION, type Session } from '../../src/mcp/offer.ts';
import type { Systems } from '../../src/mcp/tool.ts';
import { callTool, linkedPair } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

export interface Watched {
  readonly confirmCalls?: Session['offer']['confirmCalls'];
  /** What the user answers; absent: the client cannot ask. */
  readonly answer?: 'accept' | 'decline';
  readonly readOnly?: boolean;
  readonly scopes?: readonly Scope[];
}

export async function watchedPair(
  toolsets: readonly Toolset[],
  systems: Partial<Systems>,
  { confirmCalls = 'never', answer, readOnly = false, scopes = ['admin'] }: Watched = {},
) {
  const entries: AuditEntry[] = [];
  const asked: string[] = [];
  const switchboard = new SmallSwitchboard();
  const { client, log } = await linkedPair(switchboard, {
    ...systems,
    session: {
      ...LOCAL_SESSION,
      access: { name: 'test', scopes: new Set(scopes) },
      offer: { ...LOCAL_SESSION.offer, toolsets, confirmCalls, readOnly },
    },
    audit: { write: async (entry) => void entries.push(entry) },
    ...(answer
      ? {
          answers: (message: string) => {
            asked.push(message);
            return answer === 'accept' ? { action: answer, content: { confirm: true } } : { action: answer };
          },
        }
      : {}),
  });
  return {
    client,
    switchboard,
    /** What was logged as errors. */
    log,
    /** What the user was asked. */
    asked,
    tool: (name: string, args: Record<string, unknown> = {}) => callTool(client, name, args),
    /** The resource as JSON. */
    async read(uri: string): Promise<Record<string, unknown>> {
      const { contents } = await client.readResource({ uri });
      return JSON.parse((contents[0] as { text: string }).text);
    },
    /** The resource as sound. */
    async hear(uri: string): Promise<{ readonly sound: Buffer; readonly mimeType: string | undefined }> {
      const { contents } = await client.readResource({ uri });
      const [only] = contents;
      if (only === undefined || !('blob' in only)) throw new Error('the resource has no sound');
      return { sound: Buffer.from(only.blob, 'base64'), mimeType: only.mimeType };
    },
    /** What the audit has of tool calls: their names, and what it tells of them. */
    audited: (): readonly Readonly<Record<string, unknown>>[] =>
      entries.flatMap((entry) => (entry.phase === 'started' ? [{ tool: entry.tool, ...entry.request }] : [])),
  };
}

/** All that a client got to see in an answer. */
export function seen(answer: { readonly text: string; readonly structured: object }): string {
  return `${answer.text}\n${JSON.stringify(answer.structured)}`;
}
