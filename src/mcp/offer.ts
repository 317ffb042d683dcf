import { type Access, LOCAL_ACCESS, permits } from '../config/access.ts';
import type { Config, ConfigReading } from '../config/config.ts';
import { TOOLSETS, type Toolset } from '../config/schema.ts';
import { keptApart } from '../config/simulated.ts';
import type { Resource } from './resources/resource.ts';
import type { Tool } from './tool.ts';

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

/** As without any setting. */
const USUAL: Offer = { toolsets: ['voice'], tools: [], excludeTools: [], readOnly: false, confirmCalls: 'never' };
/** A program of this user. */
export const LOCAL_SESSION: Session = { access: LOCAL_ACCESS, transport: 'stdio', offer: USUAL };

/**
 * Of the settings nothing but these: they are told to other processes. What cannot be read may have been meant to forbid something, so
 * then only reading is offered, and users are asked.
 */
export function offerOf({ config, complaints }: Pick<ConfigReading, 'config' | 'complaints'>): Offer {
  const { tools, excludeTools, readOnly, confirmCalls } = config;
  const { amiHost, pbxFqdn, voipmsApiUsername } = keptApart(config);
  const addresses = { voice: '', asterisk: amiHost, '3cx': pbxFqdn, voipms: voipmsApiUsername };
  // What is not configured would only cost the assistant's attention; who names a set gets it, and is told what is missing.
  const configured: readonly Toolset[] = TOOLSETS.filter((set) => addresses[set] !== null);
  const toolsets = config.toolsets.length > 0 ? config.toolsets : configured;
  const isUnreadable = (...names: readonly string[]) => complaints.some(({ setting }) => names.includes(setting));
  return {
    toolsets,
    tools,
    excludeTools,
    readOnly: readOnly || isUnreadable('TOOLSETS', 'TOOLS', 'EXCLUDE_TOOLS', 'READ_ONLY'),
    confirmCalls: isUnreadable('CONFIRM_CALLS') ? 'always' : confirmCalls,
  };
}

/** In the catalogue's order. `readOnly` wins over everything else. */
export function offeredTools(catalogue: readonly Tool[], session: Session): readonly Tool[] {
  return catalogue.flatMap((tool) => {
    const offered = variantFor(tool, session);
    return typeof offered === 'string' ? [] : [offered];
  });
}

/** The tool, its read-only twin, or why it is neither. */
export function variantFor(tool: Tool, { access, offer }: Session): Tool | string {
  const { name, toolset, readOnlyTwin } = tool;
  if (offer.toolsets.length > 0 && !offer.toolsets.includes(toolset))
    return `${name} is not offered here: TOOLSETS leaves its set, ${toolset}, out.`;
  if (offer.tools.length > 0 && !offer.tools.includes(name)) return `${name} is not offered here: TOOLS leaves it out.`;
  if (offer.excludeTools.includes(name)) return `${name} is not offered here: EXCLUDE_TOOLS names it.`;
  const variants = [tool, ...(readOnlyTwin === null ? [] : [readOnlyTwin])];
  const allowed = variants.filter(({ annotations }) => !offer.readOnly || annotations.readOnlyHint);
  if (allowed.length === 0)
    return `${name} is not offered here: it changes something, and READ_ONLY is set, or one of TOOLSETS, TOOLS, EXCLUDE_TOOLS and READ_ONLY cannot be read (switchboard doctor says which).`;
  const permitted = allowed.find(({ scope }) => permits(access, scope));
  return permitted ?? `${name} needs a token with the scope ${allowed.at(-1)?.scope}.`;
}

export function offeredResources(catalogue: readonly Resource[], { access, offer }: Session): readonly Resource[] {
  return catalogue.filter(
    ({ toolset, scope }) => (offer.toolsets.length === 0 || offer.toolsets.includes(toolset)) && permits(access, scope),
  );
}

/** What is wrong with what the settings offer, as sentences. */
export function offerNotices(catalogue: readonly Tool[], offer: Offer): readonly string[] {
  const names = new Set(catalogue.map(({ name }) => name));
  const unknown = (given: readonly string[]) => given.filter((name) => !names.has(name));
  const notices: string[] = [];
  for (const [setting, given] of [
    ['TOOLS', offer.tools],
    ['EXCLUDE_TOOLS', offer.excludeTools],
  ] as const) {
    if (unknown(given).length > 0)
      notices.push(`${setting} names ${unknown(given).join(', ')}, and there is no such tool.`);
  }
  return notices;
}
