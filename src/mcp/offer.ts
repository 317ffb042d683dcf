import type { Access } from '../config/access.ts';
import type { Config } from '../config/config.ts';

/** What of the catalogue a client is offered, and whether its user is asked before a call: settings of the client's own process. */
export type Offer = Pick<Config, 'toolsets' | 'tools' | 'excludeTools' | 'readOnly' | 'confirmCalls'>;

/** One client, as its server sees it. */
export interface Session {
  /** What it may do. */
  readonly access: Access;
  /** `relay`: another process of this user passes its client's messages on. */
  readonly transport: 'stdio' | 'relay' | 'http' | 'sse';
  readonly offer: Offer;
}

/** Of the settings nothing but these: they are told to other processes. */
export function offerOf({ toolsets, tools, excludeTools, readOnly, confirmCalls }: Offer): Offer {
  return { toolsets, tools, excludeTools, readOnly, confirmCalls };
}
